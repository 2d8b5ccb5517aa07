using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Posts finished tasks to their callback addresses, signed, and again until it is answered with success or it was
/// tried often enough. Which are owed stands in the store, so that the next leader goes on; a callback may therefore be
/// called twice, with the same <c>X-Galaxy-Delivery</c>.
/// </summary>
internal sealed partial class CallbackSender : PeriodicService
{
    private const int MostAtOnce = 16;
    private const int MostTries = 6;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UnreadableDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TaskStore _store;
    private readonly TaskEngine _engine;
    private readonly ILogger<CallbackSender> _log;
    private readonly byte[]? _key;
    private readonly HttpClient _http = new(
        OutboundHttp.CreateHandler(handler =>
        {
            handler.AllowAutoRedirect = false;
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        })
    )
    {
        Timeout = Patience,
    };

    private readonly ConcurrentDictionary<string, (int Tries, DateTimeOffset Next)> _tried = new(
        StringComparer.Ordinal
    );
    private volatile bool _owed = true;
    private long? _term;

    public CallbackSender(
        TaskStore store,
        TaskEngine engine,
        TaskFeed feed,
        NodeOptions node,
        TimeProvider time,
        ILogger<CallbackSender> log
    )
        : base(TimeSpan.FromMilliseconds(200), time, log)
    {
        (_store, _engine, _log) = (store, engine, log);
        _key = node.ApiKey is { } key ? ApiKey.Derive(key, "callback") : null;
        feed.Published += task => _owed |= task is { IsOver: true, CallbackUrl: not null, Callback: null };
    }

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        if (_engine.Term is not { } term)
            return;
        // A new leader does not know what is owed until it has looked.
        if (term != _term)
            (_term, _owed) = (term, true);
        if (!_owed)
            return;
        try
        {
            _owed = false;
            var owed = await _store.ReadUncalledAsync();
            var now = Time.GetUtcNow();
            var due = owed.Where(id => !_tried.TryGetValue(id, out var tried) || tried.Next <= now).ToList();
            _owed = owed.Count > 0;
            // Read when its turn comes: a task may hold much.
            await Parallel.ForEachAsync(
                due,
                new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = stopping },
                async (id, cancellation) =>
                {
                    if (await _store.ReadAsync(id) is { } task)
                        await CallAsync(term, task, cancellation);
                    else
                        // It is gone, or set aside and perhaps mended some day.
                        _tried[id] = (0, Time.GetUtcNow() + UnreadableDelay);
                }
            );
        }
        catch (Exception later) when (later is StoreUnavailableException or NotLeaderException)
        {
            _owed = true;
        }
    }

    private async Task CallAsync(long term, TaskView task, CancellationToken cancellation)
    {
        var tries = _tried.GetValueOrDefault(task.TaskId).Tries + 1;
        var problem = await PostAsync(task, tries, cancellation);
        if (problem is not null && tries < MostTries)
        {
            _tried[task.TaskId] = (tries, Time.GetUtcNow() + FirstDelay * Math.Pow(3, tries - 1));
            return;
        }
        if (problem is not null)
            LogGivenUp(task.TaskId, task.CallbackUrl!, problem);
        await _store.WriteAsync(
            term,
            new TaskBatch([
                task with
                {
                    Callback = problem is null ? "delivered" : $"given up after {tries} tries: {problem}",
                    Token = term,
                },
            ])
        );
        _tried.TryRemove(task.TaskId, out _);
    }

    // Null: it was taken.
    private async Task<string?> PostAsync(TaskView task, int tries, CancellationToken cancellation)
    {
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(task, GalaxyJson.Options);
            using var request = new HttpRequestMessage(HttpMethod.Post, task.CallbackUrl)
            {
                Content = new ByteArrayContent(body),
            };
            request.Content.Headers.ContentType = new("application/json");
            var timestamp = $"{Time.GetUtcNow().ToUnixTimeSeconds()}";
            request.Headers.Add("X-Galaxy-Delivery", task.TaskId);
            request.Headers.Add("X-Galaxy-Try", $"{tries}");
            request.Headers.Add("X-Galaxy-Timestamp", timestamp);
            byte[] signed = [.. Encoding.ASCII.GetBytes(timestamp + "."), .. body];
            if (_key is not null)
                request.Headers.Add(
                    "X-Galaxy-Signature",
                    "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, signed))
                );
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            return answer.IsSuccessStatusCode ? null : $"status {(int)answer.StatusCode}";
        }
        catch (Exception failure)
            when (failure is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return failure is TaskCanceledException ? $"no answer within {Patience.TotalSeconds} s" : failure.Message;
        }
    }

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The callback of task {TaskId} to {Url} was given up: {Reason}")]
    private partial void LogGivenUp(string taskId, string url, string reason);
}
