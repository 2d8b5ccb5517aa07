using System.Net.ServerSentEvents;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.State;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>
/// A client of the watch as the documents describe it: it keeps a map and the id of the last event, and reconnects.
/// </summary>
internal sealed class ResumingWatcher(string ns)
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    public Dictionary<string, string> Map { get; } = new(StringComparer.Ordinal);

    public string? LastEventId { get; private set; }

    public int Connections { get; private set; }

    public List<SseItem<StateChange?>> Events { get; } = [];

    /// <summary>A connection, from the last event on.</summary>
    public IAsyncEnumerator<SseItem<StateChange?>> Open(WatchedNode node, CancellationToken cancellationToken)
    {
        Connections++;
        var watch = new StateWatch(node.Feed, node.Replica, node.Time, ns, "");
        return watch.FollowAsync(LastEventId, cancellationToken, default).GetAsyncEnumerator(default);
    }

    /// <summary>
    /// Opens a connection, takes at most so many events and closes it. False when the node had nothing more to say.
    /// </summary>
    /// <param name="afterEach">Happens after each event, while the connection is open.</param>
    public async Task<bool> ReadAsync(WatchedNode node, int maxEvents, Action? afterEach = null)
    {
        using var closed = new CancellationTokenSource();
        await using var events = Open(node, closed.Token);
        for (var i = 0; i < maxEvents; i++)
        {
            // What is there to be told is told without waiting: time stands, and nobody else writes.
            var next = events.MoveNextAsync();
            if (!next.IsCompleted)
            {
                await closed.CancelAsync();
                Assert.False(await next);
                return false;
            }
            Assert.True(await next);
            Take(events.Current);
            afterEach?.Invoke();
            if (events.Current.EventType == "alive")
                return false;
        }
        return true;
    }

    /// <summary>Reconnects after every so many events until there is nothing more to be told.</summary>
    public async Task CatchUpAsync(WatchedNode node, int eventsPerConnection)
    {
        while (await ReadAsync(node, eventsPerConnection))
            Assert.True(Connections < 10_000, "the watcher does not come to the end");
    }

    public void Take(SseItem<StateChange?> item)
    {
        Events.Add(item);
        LastEventId = item.EventId;
        switch (item.EventType)
        {
            case "begin":
                _told.Clear();
                break;
            case "ready":
                foreach (var gone in Map.Keys.Where(key => !_told.Contains(key)).ToList())
                    Map.Remove(gone);
                break;
            case "state" or "change":
                Take(item.Data!);
                break;
        }
    }

    private void Take(StateChange change)
    {
        _told.Add(change.Key);
        if (change.Entry is { } entry)
            Map[change.Key] = entry.Value!.ToJsonString();
        else
            Map.Remove(change.Key);
    }

    /// <summary>The same client as it was after its first events.</summary>
    public ResumingWatcher After(int events)
    {
        var earlier = new ResumingWatcher(ns);
        foreach (var item in Events.Take(events))
            earlier.Take(item);
        return earlier;
    }
}
