using System.Collections.Concurrent;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Galaxy.Console.Cluster;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Console.Live;

/// <summary>
/// The changes of tasks, from the leader's stream, while at least one page follows them. A new leader is followed at
/// once.
/// </summary>
internal sealed partial class TaskFeed(ClusterHttp http, ClusterWatcher watcher, ILogger<TaskFeed> log) : SharedLoop
{
    private const int Kept = 2000;
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<(long Number, TaskView Task)> _news = new();
    private long _number;
    private long _streams;

    /// <summary>
    /// Grows with each stream: changes between two streams were missed, so each follower reads anew.
    /// </summary>
    public long Streams => Interlocked.Read(ref _streams);

    public long Now => Interlocked.Read(ref _number);

    /// <summary>The changes received after a number, oldest first.</summary>
    public IReadOnlyList<TaskView> After(long number) =>
        [.. _news.Where(one => one.Number > number).Select(one => one.Task)];

    protected override async Task RunAsync(CancellationToken cancellation)
    {
        var leader = await LeaderAsync(cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, leader.Url.TrimEnd('/') + "/api/v1/tasks/watch");
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        opening.CancelAfter(HeadPatience);
        using var answer = await http.SendAsync(request, opening.Token);
        answer.EnsureSuccessStatusCode();
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = EndWithAsync(leader.Token, lost);
        try
        {
            await foreach (
                var item in SseParser
                    .Create(await answer.Content.ReadAsStreamAsync(lost.Token))
                    .EnumerateAsync(lost.Token)
            )
                Heard(item);
        }
        finally
        {
            await lost.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Heard(SseItem<string> item)
    {
        if (item.EventType == "ready")
            Interlocked.Increment(ref _streams);
        else if (
            item.EventType == "alive"
            || JsonSerializer.Deserialize<TaskView>(item.Data, GalaxyJson.Options) is not { } task
        )
            return;
        else
        {
            _news.Enqueue((Interlocked.Increment(ref _number), task));
            while (_news.Count > Kept)
                _news.TryDequeue(out _);
        }
        Changed();
    }

    private async Task<Contracts.Cluster.Leader> LeaderAsync(CancellationToken cancellation)
    {
        await foreach (var view in watcher.Changes(cancellation))
        {
            if (view.UsableLeader is { } leader)
                return leader;
        }
        throw new OperationCanceledException(cancellation);
    }

    private async Task EndWithAsync(long token, CancellationTokenSource lost)
    {
        await foreach (var view in watcher.Changes(lost.Token))
        {
            if (view.UsableLeader?.Token == token)
                continue;
            await lost.CancelAsync();
            return;
        }
    }

    // The stream ends when the leader changes: that is no error.
    protected override void Failed(Exception failure) => LogEnded(failure.Message);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The stream of tasks ended: {Reason}")]
    private partial void LogEnded(string reason);
}
