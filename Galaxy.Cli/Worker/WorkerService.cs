using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Cli.Worker.Actions;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.Cli.Worker;

/// <summary>What a worker tells of itself.</summary>
internal sealed record WorkerProfile(IReadOnlyList<string> Labels, string Location);

/// <summary>
/// A worker: connects, reconnects for ever with jittered back-off, runs tasks in parallel, and keeps each result until
/// a leader has acknowledged it, over as many connections as that takes.
/// </summary>
internal sealed partial class WorkerService(
    string deviceId,
    IReadOnlyList<Uri> masters,
    NodeOptions node,
    IReadOnlyDictionary<string, WorkerAction> actions,
    WorkerProfile profile,
    int slots,
    GalaxyConfiguration configuration,
    TimeProvider time,
    ILogger<WorkerService> log
) : BackgroundService
{
    private const string Subprotocol = "galaxy.v1";
    private const int MaxSeen = 10_000;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan QuietFor = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DrainFor = TimeSpan.FromSeconds(25);
    private static readonly ActivitySource Trace = new("Galaxy.Worker");

    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, JsonObject> _results = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _seen = new(StringComparer.Ordinal);
    private readonly Random _random = new();
    private volatile WorkerLink? _link;
    private long _highestToken;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        Uri? redirect = null;
        var turn = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var address = redirect
                    ?? (masters.Count > 0 ? masters[turn++ % masters.Count] : null)
                    ?? await MasterFinder.FindAsync(node, time, stoppingToken);
                redirect = null;
                if (address is null)
                    LogNoMaster();
                else
                {
                    redirect = await ServeAsync(address, stoppingToken);
                    retry = FirstRetry;
                    // The address that answered last is tried first.
                    turn = Math.Max(0, turn - 1);
                }
            }
            catch (Exception failure)
                when (failure is WebSocketException or HttpRequestException or IOException or OperationCanceledException
                )
            {
                if (!stoppingToken.IsCancellationRequested)
                    LogConnectionLost(failure.InnerException?.Message ?? failure.Message);
            }
            if (redirect is not null)
                continue;
            await Task.Delay(retry * (0.5 + _random.NextDouble()), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
        }
    }

    /// <summary>Takes no new tasks, lets running ones finish, and waits for their acknowledgements.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _link?.Send(new JsonObject { ["type"] = "status_update", ["status"] = "maintenance" });
        var deadline = time.GetTimestamp();
        while (
            (!_running.IsEmpty || !_results.IsEmpty)
            && time.GetElapsedTime(deadline) < DrainFor
            && _link is not null
            && !cancellationToken.IsCancellationRequested
        )
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    /// <summary>
    /// One connection from hello to end. Returns the address to connect to instead when this node does not lead.
    /// </summary>
    private async Task<Uri?> ServeAsync(Uri address, CancellationToken stopping)
    {
        using var socket = InternalHttp.CreateWebSocket();
        socket.Options.AddSubProtocol(Subprotocol);
        // A connection that loses all messages is detected by missing answers.
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(5);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(10);
        socket.Options.CollectHttpResponseDetails = true;
        if (node.ApiKey is { } key)
            socket.Options.SetRequestHeader("Authorization", "Bearer " + key);
        var target = new UriBuilder(address)
        {
            Path = "/ws/device/" + Uri.EscapeDataString(deviceId),
            Scheme = address.Scheme is "https" or "wss" ? "wss" : "ws",
        }.Uri;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            patience.CancelAfter(TimeSpan.FromSeconds(5));
            await socket.ConnectAsync(target, patience.Token);
        }
        catch (WebSocketException) when ((int)socket.HttpStatusCode == 401)
        {
            LogWrongKey(target);
            return null;
        }
        catch (WebSocketException)
            when ((int)socket.HttpStatusCode == 421
                && socket.HttpResponseHeaders?.TryGetValue("X-Galaxy-Leader", out var leader) == true
            )
        {
            return new Uri(leader.First());
        }
        await using var link = new WorkerLink(socket, stopping);
        link.Send(Hello());
        _link = link;
        foreach (var result in _results.Values)
            link.Send((JsonObject)result.DeepClone());
        try
        {
            using var beat = new Timer(
                _ => link.Send(new JsonObject { ["type"] = "heartbeat" }),
                null,
                Heartbeat,
                Heartbeat
            );
            while (await link.ReceiveAsync() is { } message)
                Handle(message, target, stopping);
        }
        finally
        {
            _link = null;
        }
        return null;
    }

    private JsonObject Hello() =>
        new()
        {
            ["type"] = "hello",
            ["device_id"] = deviceId,
            ["device_name"] = deviceId,
            ["device_type"] =
                OperatingSystem.IsWindows() ? "windows"
                : OperatingSystem.IsMacOS() ? "macos"
                : "linux",
            ["version"] = ServiceDefaults.Nodes.BuildVersion.Text,
            ["slots"] = slots,
            ["capabilities"] = new JsonArray([.. actions.Values.Select(action => (JsonNode)action.ToCapability())]),
            ["labels"] = new JsonArray([.. profile.Labels.Select(label => (JsonNode)label)]),
            ["location"] = profile.Location,
            ["running"] = new JsonArray([.. _running.Keys.Concat(_results.Keys).Select(attempt => (JsonNode)attempt)]),
        };

    private void Handle(JsonObject message, Uri target, CancellationToken stopping)
    {
        switch (message["type"]?.ToString())
        {
            case "welcome":
                LogConnected(target, message["node_id"]?.ToString() ?? "");
                SeeToken(message);
                break;
            case "task" when SeeToken(message):
                Start(message, stopping);
                break;
            case "task":
                LogStaleTask(message["task_id"]?.ToString() ?? "");
                break;
            case "cancel" when _running.TryGetValue(message["attempt_id"]?.ToString() ?? "", out var running):
                running.Cancel();
                break;
            case "config" when message["documents"] is JsonObject documents:
                configuration.Replace(
                    documents
                        .Where(document => ConfigDocument.Find(document.Key) is { ForDevices: true })
                        .Select(document => (ConfigDocument.Find(document.Key)!, document.Value?.DeepClone()))
                );
                break;
            case "result_ack":
                _results.TryRemove(message["attempt_id"]?.ToString() ?? "", out _);
                break;
            case "error":
                LogServerError(message["message"]?.ToString() ?? "");
                break;
        }
    }

    // A command under a lower token comes from a leader that does not know yet that it was replaced.
    private bool SeeToken(JsonObject message)
    {
        var token = message["token"] is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;
        if (token < _highestToken)
            return false;
        _highestToken = token;
        return true;
    }

    private void Start(JsonObject message, CancellationToken stopping)
    {
        var attempt = message["attempt_id"]?.ToString() ?? "";
        // An attempt runs once, however often it is delivered.
        if (attempt.Length == 0 || !_seen.TryAdd(attempt, 0))
            return;
        // Old attempts are not delivered again once their result was acknowledged.
        if (_seen.Count > MaxSeen)
        {
            foreach (
                var old in _seen.Keys.Where(old =>
                    old != attempt && !_running.ContainsKey(old) && !_results.ContainsKey(old)
                )
            )
                _seen.TryRemove(old, out _);
        }
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running[attempt] = cancellation;
        _ = RunAsync(message, attempt, cancellation);
        _ = SayRunningAsync(message["task_id"]?.ToString() ?? "", attempt, stopping);
    }

    // A task that is done at once needs no message in between.
    private async Task SayRunningAsync(string taskId, string attempt, CancellationToken stopping)
    {
        await Task.Delay(QuietFor, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_running.ContainsKey(attempt))
            Report(taskId, attempt, 0);
    }

    private void Report(string taskId, string attempt, double progress) =>
        _link?.Send(
            new JsonObject
            {
                ["type"] = "progress",
                ["task_id"] = taskId,
                ["attempt_id"] = attempt,
                ["progress"] = progress,
            }
        );

    private async Task RunAsync(JsonObject message, string attempt, CancellationTokenSource cancellation)
    {
        await Task.Yield();
        var taskId = message["task_id"]?.ToString() ?? "";
        var action = message["action"]?.ToString() ?? "";
        using var activity = Trace.Start(
            "task.run " + action,
            ActivityKind.Consumer,
            message["traceparent"]?.ToString()
        );
        activity?.SetTag("galaxy.task.id", taskId);
        var result = new JsonObject
        {
            ["type"] = "task_result",
            ["task_id"] = taskId,
            ["attempt_id"] = attempt,
        };
        try
        {
            var run = actions.GetValueOrDefault(action)
                ?? throw new InvalidOperationException($"this worker does not offer '{action}'");
            var call = new ActionCall(
                message["params"] as JsonObject ?? [],
                progress => Report(taskId, attempt, progress),
                cancellation.Token
            );
            result["result"] = await run.RunAsync(call);
            result["status"] = "done";
        }
        catch (Exception failure)
        {
            result["status"] = "failed";
            result["error"] = failure is OperationCanceledException ? "cancelled" : failure.Message;
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
        }
        // The result is kept before the attempt counts as not running: a hello in between names it either way.
        _results[attempt] = result;
        _running.TryRemove(attempt, out _);
        cancellation.Dispose();
        LogTaskDone(taskId, action, result["status"]!.ToString());
        _link?.Send((JsonObject)result.DeepClone());
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to {Master}, leader {Leader}")]
    private partial void LogConnected(Uri master, string leader);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection lost or refused ({Reason}); trying again")]
    private partial void LogConnectionLost(string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No master was found by discovery yet. Name one with --master ws://host:8765 or MASTER_URL."
    )]
    private partial void LogNoMaster();

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Master} refuses this worker's key: set GALAXY_API_KEY to the cluster's key."
    )]
    private partial void LogWrongKey(Uri master);

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {TaskId} ({Action}): {Status}")]
    private partial void LogTaskDone(string taskId, string action, string status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused task {TaskId}: its sender does not lead any more")]
    private partial void LogStaleTask(string taskId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The cluster says: {Message}")]
    private partial void LogServerError(string message);
}
