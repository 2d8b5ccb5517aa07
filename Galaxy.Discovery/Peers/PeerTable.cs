using System.Collections.Concurrent;
using System.Threading.Channels;
using Galaxy.Core.Discovery.Peers;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Peers;

/// <summary>What the readers of events get.</summary>
/// <param name="Type"><c>device_found</c>, <c>device_updated</c>, <c>device_lost</c> or <c>error</c>.</param>
internal sealed record Happening(string Type, Peer? Peer, string? Problem = null);

/// <summary>
/// All peers seen by any discovery source, for the sources, the API and the coordinators: <see cref="PeerBook"/> behind
/// a lock. Thread-safe.
/// </summary>
internal sealed class PeerTable(
    ClusterWatcher watcher,
    LocalNodes local,
    NodeOptions node,
    TimeProvider time,
    ILogger<PeerTable> log
) : PeriodicService(TimeSpan.FromMilliseconds(500), time, log)
{
    private const int Backlog = 1000;
    private readonly Lock _gate = new();
    private readonly PeerBook _book = new();
    private readonly long _start = time.GetTimestamp();
    private readonly ConcurrentDictionary<Channel<Happening>, byte> _listeners = new();
    private HashSet<string> _gone = [];
    private long _version;

    /// <summary>Grows with every event.</summary>
    public long Version => Interlocked.Read(ref _version);

    public IReadOnlyList<Peer> All
    {
        get
        {
            lock (_gate)
                return _book.All;
        }
    }

    /// <summary>The number of known peers.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _book.Count;
        }
    }

    private TimeSpan Now => Time.GetElapsedTime(_start);

    /// <inheritdoc cref="PeerBook.Has"/>
    public bool Has(string cluster, string nodeId, PeerTrust trust)
    {
        lock (_gate)
            return _book.Has(cluster, nodeId, trust);
    }

    public void See(Sighting sighting)
    {
        if (local.Contains(sighting.Cluster, sighting.NodeId))
            return;
        Tell(book => book.See(sighting, Now, Time.GetUtcNow()));
    }

    /// <inheritdoc cref="PeerBook.Goodbye"/>
    public void Goodbye(string cluster, string nodeId, string road, bool signed) =>
        Tell(book => book.Goodbye(cluster, nodeId, road, signed));

    /// <summary>Reports an error of a discovery source.</summary>
    public void Report(string problem) => Publish(new Happening("error", null, problem));

    protected override Task TurnAsync(CancellationToken stopping)
    {
        Tell(book => book.Tick(Now));
        // Coordinators detect dead nodes within seconds; the discovery sources would wait a minute. A node that is seen
        // afterwards is alive all the same.
        var gone = watcher
            .Current.Nodes.Where(member => member.State is "dead" or "left")
            .Select(member => member.NodeId)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var nodeId in gone.Except(_gone))
            Tell(book => book.PeersSayGone(node.Cluster, nodeId));
        _gone = gone;
        return Task.CompletedTask;
    }

    /// <summary>Events from now on; a slow reader loses the oldest.</summary>
    public async IAsyncEnumerable<Happening> Events(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation
    )
    {
        var channel = Channel.CreateBounded<Happening>(
            new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest }
        );
        _listeners[channel] = 0;
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellation))
                yield return happened;
        }
        finally
        {
            _listeners.TryRemove(channel, out _);
        }
    }

    private void Tell(Func<PeerBook, IReadOnlyList<PeerEvent>> change)
    {
        IReadOnlyList<PeerEvent> events;
        lock (_gate)
            events = change(_book);
        foreach (var happened in events)
        {
            Publish(
                new Happening(
                    happened.Change switch
                    {
                        PeerChange.Found => "device_found",
                        PeerChange.Lost => "device_lost",
                        _ => "device_updated",
                    },
                    happened.Peer
                )
            );
        }
    }

    private void Publish(Happening happened)
    {
        Interlocked.Increment(ref _version);
        foreach (var listener in _listeners.Keys)
            listener.Writer.TryWrite(happened);
    }
}
