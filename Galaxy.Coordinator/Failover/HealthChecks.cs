using System.Diagnostics;
using System.Net.Sockets;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// Runs the registered health checks on this node. A node that fails one does not campaign, and hands over if it leads.
/// Thread-safe.
/// </summary>
internal sealed partial class HealthChecks(
    FailoverStore store,
    NodeOptions node,
    TimeProvider time,
    ILogger<HealthChecks> log
) : PeriodicService(Look, time, log)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly HttpClient Http = InternalHttp.CreateClient(Timeout.InfiniteTimeSpan);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (HealthCheckerSettings Settings, HealthCheckStatus Status, long Due)> _checks =
        new(StringComparer.Ordinal);

    /// <summary>Raised when this node becomes healthy or stops being so.</summary>
    public event Action? Changed;

    public bool Healthy { get; private set; } = true;

    public IReadOnlyList<HealthCheckStatus> Statuses
    {
        get
        {
            lock (_gate)
                return [.. _checks.Values.Select(check => check.Status)];
        }
    }

    /// <summary>What is wrong with a check; null: nothing.</summary>
    public static string? Complaint(HealthCheckerSettings check) =>
        check switch
        {
            { Name: not { Length: > 0 and <= 64 } } => "'name' is required, at most 64 characters.",
            { Kind: not ("http" or "tcp" or "grpc" or "redis" or "command") } =>
                $"'kind' is '{check.Kind}'; allowed are http, tcp, grpc, redis, command.",
            { Target: not { Length: > 0 and <= 1024 } } => "'target' is required, at most 1024 characters.",
            { Kind: "http" or "grpc" }
                when !Uri.TryCreate(check.Target, UriKind.Absolute, out var url)
                    || url.Scheme is not ("http" or "https") =>
                $"'target' is '{check.Target}'; a check of kind {check.Kind} needs an http or https address.",
            { Kind: "tcp" } when !TryHostPort(check.Target, out _, out _) =>
                $"'target' is '{check.Target}'; a check of kind tcp needs host:port.",
            { IntervalSeconds: < 0.1 or > 3600 } => "'interval_seconds' must be 0.1 to 3600.",
            { TimeoutSeconds: < 0.05 or > 60 } => "'timeout_seconds' must be 0.05 to 60.",
            { Threshold: < 1 or > 100 } => "'threshold' must be 1 to 100.",
            _ => null,
        };

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        await Task.WhenAll(Due().Select(check => RunAsync(check, stopping)));
        Judge();
    }

    private List<HealthCheckerSettings> Due()
    {
        var settings = store.Settings;
        var mine = settings.Checkers.Where(check => check.NodeId is null || check.NodeId == node.NodeId).ToList();
        var now = Time.GetTimestamp();
        lock (_gate)
        {
            foreach (var gone in _checks.Keys.Except(mine.Select(check => check.Name)).ToList())
                _checks.Remove(gone);
            var due = new List<HealthCheckerSettings>();
            foreach (var check in mine)
            {
                // A check that was changed begins anew.
                var known = _checks.TryGetValue(check.Name, out var entry) && entry.Settings == check;
                if (known && entry.Due > now)
                    continue;
                var interval = check.IntervalSeconds ?? settings.HealthCheckIntervalSeconds;
                _checks[check.Name] = (
                    check,
                    known ? entry.Status : new HealthCheckStatus(check.Name, true, 0, null, null),
                    now + (long)(interval * Time.TimestampFrequency)
                );
                due.Add(check);
            }
            return due;
        }
    }

    private async Task RunAsync(HealthCheckerSettings check, CancellationToken stopping)
    {
        string? error = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(TimeSpan.FromSeconds(check.TimeoutSeconds));
        try
        {
            await ProbeAsync(check, patience.Token).WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            error = $"no answer within {check.TimeoutSeconds:0.###} s";
        }
        catch (Exception failure)
        {
            error = failure.Message.Split('\n')[0];
        }
        lock (_gate)
        {
            if (!_checks.TryGetValue(check.Name, out var entry))
                return;
            var failures = error is null ? 0 : entry.Status.FailuresInARow + 1;
            _checks[check.Name] = entry with
            {
                Status = new HealthCheckStatus(
                    check.Name,
                    failures < check.Threshold,
                    failures,
                    error,
                    Time.GetUtcNow()
                ),
            };
        }
    }

    private async Task ProbeAsync(HealthCheckerSettings check, CancellationToken cancellation)
    {
        switch (check.Kind)
        {
            case "http":
                using (
                    var answer = await Http.GetAsync(
                        new Uri(check.Target),
                        HttpCompletionOption.ResponseHeadersRead,
                        cancellation
                    )
                )
                    answer.EnsureSuccessStatusCode();
                break;
            case "tcp":
                TryHostPort(check.Target, out var host, out var port);
                using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
                    await socket.ConnectAsync(host, port, cancellation);
                break;
            case "grpc":
                using (var channel = InternalHttp.CreateChannel(check.Target))
                    await channel.ConnectAsync(cancellation);
                break;
            case "redis":
                await using (var redis = await ConnectionMultiplexer.ConnectAsync(check.Target))
                    await redis.GetDatabase().PingAsync();
                break;
            default:
                await RunProgramAsync(check.Target, cancellation);
                break;
        }
    }

    private async Task RunProgramAsync(string commandLine, CancellationToken cancellation)
    {
        if (!node.CommandChecks)
            throw new InvalidOperationException(
                "checks that run a program are off on this node: set GALAXY_COMMAND_CHECKS=true to allow them"
            );
        var words = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var process = Process.Start(
            new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true }
        ) ?? throw new InvalidOperationException("the program did not start");
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"the program ended with code {process.ExitCode}");
    }

    private void Judge()
    {
        var sick = Statuses.FirstOrDefault(status => !status.Healthy);
        if (Healthy == sick is null)
            return;
        Healthy = sick is null;
        if (sick is null)
            LogHealthy();
        else
            LogUnhealthy(sick.Name, sick.LastError ?? "");
        Changed?.Invoke();
    }

    private static bool TryHostPort(string text, out string host, out int port)
    {
        var colon = text.LastIndexOf(':');
        host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        return int.TryParse(text[(colon + 1)..], out port) && port is > 0 and <= 65535 && host.Length > 0;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This node is unhealthy and does not stand: check '{Name}': {Reason}"
    )]
    private partial void LogUnhealthy(string name, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "This node is healthy again")]
    private partial void LogHealthy();
}
