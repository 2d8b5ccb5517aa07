using Galaxy.Core.Clocks;
using Galaxy.Core.Gossip;
using Galaxy.Core.Membership;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.Replica;

/// <summary>
/// This coordinator's replica of the state, behind one lock, and its journal. Changes are announced by events, raised
/// outside the lock. Thread-safe.
/// </summary>
internal sealed class ReplicatedState
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly StateJournal _journal;
    private readonly ReplicatedMap _map;

    public ReplicatedState(StateJournal journal, TimeProvider time)
    {
        (_journal, _time) = (journal, time);
        _map = journal.Load(new StateLimits { Reserved = Namespaces.WithRoom, NamespaceBytes = Namespaces.Rooms });
    }

    /// <summary>Entries written here, to be passed on at once.</summary>
    public event Action<IReadOnlyList<StateEntry>>? Written;

    /// <summary>Entries that arrived and were news.</summary>
    public event Action<IReadOnlyList<StateEntry>>? Arrived;

    /// <summary>
    /// Entries whose time to live was over here. Peers are not told: each of them drops such entries by itself.
    /// </summary>
    public event Action<IReadOnlyList<StateEntry>>? Expired;

    /// <summary>
    /// State changed that the view of the cluster is made of: devices, services, failover settings, access keys.
    /// </summary>
    public event Action? Changed;

    public VersionVector Summary
    {
        get
        {
            lock (_gate)
                return _map.Summary;
        }
    }

    /// <summary>What this node has seen, and the digest of what it shows, in one moment.</summary>
    public (VersionVector Summary, ulong Digest) Position
    {
        get
        {
            lock (_gate)
                return (_map.Summary, _map.Digest);
        }
    }

    /// <summary>
    /// A hash of all that this node holds, with its view of the members: see <see cref="Core.Gossip.Fingerprint"/>.
    /// </summary>
    public ulong FingerprintWith(MembershipTable members)
    {
        lock (_gate)
            return Fingerprint.Of(members, _map.Summary, _map.Digest);
    }

    private long WallMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public StateEntry? Get(string ns, string key)
    {
        lock (_gate)
            return _map.Get(ns, key);
    }

    public IReadOnlyList<StateEntry> List(string ns)
    {
        lock (_gate)
            return _map.List(ns);
    }

    public IReadOnlyList<StateEntry> List(string ns, string prefix)
    {
        lock (_gate)
            return _map.List(ns, prefix);
    }

    /// <summary>The entry as stored, a tombstone, too; null when nothing is known of the key.</summary>
    public StateEntry? Find(EntryId id)
    {
        lock (_gate)
            return _map.Find(id);
    }

    /// <summary>Every entry, tombstones included, as they are in one moment.</summary>
    public IReadOnlyList<StateEntry> All
    {
        get
        {
            lock (_gate)
                return [.. _map.All];
        }
    }

    /// <exception cref="StateLimitException">A bound would be passed.</exception>
    /// <exception cref="IOException">This node's disk does not take the write. It may be lost if the node
    /// restarts.</exception>
    public void Put(string ns, string key, ReadOnlyMemory<byte> value) =>
        Write(new EntryId(ns, key), new StateWrite(value));

    /// <summary>False when there was nothing to delete.</summary>
    public bool Delete(string ns, string key) => Write(new EntryId(ns, key), new StateWrite(null)) is not null;

    /// <summary>
    /// Writes what is asked for, durable on this node's disk when this returns. Null: nothing had to change.
    /// </summary>
    /// <param name="condition">Asked with the entry as it is, in the same moment; what it throws reaches the caller,
    /// and nothing is written.</param>
    /// <exception cref="StateLimitException">A bound would be passed.</exception>
    /// <exception cref="IOException">This node's disk does not take the write. It may be lost if the node
    /// restarts.</exception>
    public StateEntry? Write(EntryId id, StateWrite write, Action<StateEntry?>? condition = null)
    {
        StateEntry? entry;
        lock (_gate)
        {
            condition?.Invoke(_map.Find(id));
            entry = _map.Write(id.Namespace, id.Key, write, WallMs);
            if (entry is null)
                return null;
            _journal.Append(entry);
        }
        Written?.Invoke([entry]);
        Signal([entry]);
        return entry;
    }

    /// <summary>What a peer lacks; null when a delta would not do and it needs <see cref="Everything"/>.</summary>
    /// <param name="digest">The peer's; null: it does not say.</param>
    public Delta? DeltaFor(VersionVector summary, ulong? digest, int maxBytes)
    {
        lock (_gate)
        {
            return !_map.NeedsEverything(summary, digest) && _map.DeltaFor(summary, maxBytes) is var (entries, reaches)
                ? new Delta(entries, reaches, _map.Pruned)
                : null;
        }
    }

    /// <summary>All that this node holds and has seen, in one moment.</summary>
    public (IReadOnlyList<StateEntry> Entries, VersionVector Summary, VersionVector Pruned) Everything()
    {
        lock (_gate)
            return ([.. _map.All], _map.Summary, _map.Pruned);
    }

    /// <summary>Takes in a peer's delta. When it reaches nothing it is a rumor that vouches for nothing else.</summary>
    public IReadOnlyList<StateEntry> Apply(Delta delta)
    {
        IReadOnlyList<StateEntry> news;
        lock (_gate)
            news = _map.ApplyDelta(delta.Entries, delta.Reaches, delta.Pruned);
        return Announce(news);
    }

    /// <summary>Takes in everything that a peer holds.</summary>
    public IReadOnlyList<StateEntry> Replace(
        IReadOnlyList<StateEntry> entries,
        VersionVector summary,
        VersionVector pruned
    )
    {
        IReadOnlyList<StateEntry> news;
        lock (_gate)
            news = _map.Replace(entries, summary, pruned);
        return Announce(news);
    }

    private IReadOnlyList<StateEntry> Announce(IReadOnlyList<StateEntry> news)
    {
        if (news.Count == 0)
            return news;
        Arrived?.Invoke(news);
        Signal(news);
        return news;
    }

    private void Signal(IReadOnlyList<StateEntry> news)
    {
        if (
            news.Any(entry =>
                entry.Namespace is Namespaces.Devices or Namespaces.Services or Namespaces.Failover or Namespaces.Access
            )
        )
            Changed?.Invoke();
    }

    /// <summary>Up to where this node has dropped what contexts would need.</summary>
    public VersionVector Pruned
    {
        get
        {
            lock (_gate)
                return _map.Pruned;
        }
    }

    /// <summary>Removes expired entries, and what every member has seen and no member needs.</summary>
    /// <param name="stable">What every member has seen; null: it is not known for all members.</param>
    /// <param name="departed">True for an origin that no process writes under any more.</param>
    public void Sweep(VersionVector? stable, Func<string, bool> departed)
    {
        var expired = Expire();
        if (expired.Count > 0)
            Expired?.Invoke(expired);
        if (stable is null)
            return;
        lock (_gate)
        {
            if (!_map.Pruned.Dominates(stable))
                _journal.AppendPruned(stable);
            _map.Compact(stable);
            _map.ForgetOrigins([.. stable.Dots.Select(dot => dot.Origin).Where(departed)]);
        }
    }

    private List<StateEntry> Expire()
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            var expired = _map.All.Where(entry => Ttl.IsOver(entry, now)).ToList();
            foreach (var entry in expired)
                _map.Expire(entry);
            return expired;
        }
    }

    /// <summary>Writes a snapshot to this node's disk; null when there is no folder for it.</summary>
    /// <exception cref="IOException">The disk is full or fails; the earlier snapshots stay.</exception>
    public SnapshotInfo? TakeSnapshot()
    {
        (IReadOnlyList<StateEntry> Entries, VersionVector Summary, VersionVector Pruned, Hlc Clock) moment;
        long? number;
        lock (_gate)
        {
            number = _journal.NextLog();
            moment = ([.. _map.All], _map.Summary, _map.Pruned, _map.Clock);
        }
        return number is null
            ? null
            : _journal.Write(
                number.Value,
                _journal.BodyOf(_map.Origin, moment.Entries, moment.Summary, moment.Pruned, moment.Clock)
            );
    }

    /// <summary>The name that this node's writes carry.</summary>
    public string Origin => _map.Origin;

    /// <summary>Entries held, and bytes.</summary>
    public (int Entries, long Bytes) Size
    {
        get
        {
            lock (_gate)
                return (_map.Count, _map.Bytes);
        }
    }
}

/// <summary>Entries for a peer.</summary>
/// <param name="Reaches">After them, nothing up to here is missing; empty: they vouch for nothing.</param>
/// <param name="Pruned">Up to where the sender has dropped what contexts would need.</param>
internal sealed record Delta(IReadOnlyList<StateEntry> Entries, VersionVector Reaches, VersionVector Pruned);
