using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>
/// The map <c>namespace/key → entry</c> that every coordinator holds. Writes carry a dot and the version vector the
/// writer had seen; concurrent writes are settled by last-write-wins on the hybrid logical clock, then on the origin's
/// name. Replicas compare <see cref="Summary"/> and send each other exactly what is missing (<see cref="DeltaFor"/>).
/// Not thread-safe: its owner serialises access.
/// </summary>
/// <param name="origin">Names this process's writes. Never reused: a restarted process takes a new one.</param>
public sealed class ReplicatedMap(string origin)
{
    /// <summary>The largest value that an entry may carry, in bytes.</summary>
    public const int MaxValueBytes = 256 * 1024;

    private readonly Dictionary<(string Namespace, string Key), StateEntry> _entries = [];
    private Hlc _clock;
    private ulong _counter;

    /// <summary>Per origin, the highest write below which nothing is missing here.</summary>
    public VersionVector Summary { get; private set; } = VersionVector.Empty;

    public int Count => _entries.Count;

    /// <summary>The entry, or null when the key was never written or is deleted.</summary>
    public StateEntry? Get(string ns, string key) =>
        _entries.TryGetValue((ns, key), out var entry) && !entry.Deleted ? entry : null;

    /// <summary>The live entries of a namespace, ordered by key (ordinal).</summary>
    public IReadOnlyList<StateEntry> List(string ns) =>
        [.. _entries.Values.Where(e => e.Namespace == ns && !e.Deleted).OrderBy(e => e.Key, StringComparer.Ordinal)];

    /// <summary>Every entry, tombstones included, in an order that is the same on every replica.</summary>
    public IEnumerable<StateEntry> All =>
        _entries.Values.OrderBy(e => e.Namespace, StringComparer.Ordinal).ThenBy(e => e.Key, StringComparer.Ordinal);

    /// <summary>Writes a value.</summary>
    /// <exception cref="ArgumentException">The value is over <see cref="MaxValueBytes"/>.</exception>
    public StateEntry Put(string ns, string key, ReadOnlyMemory<byte> value, long wallMs)
    {
        if (value.Length > MaxValueBytes)
            throw new ArgumentException($"The value of {ns}/{key} has {value.Length} bytes; at most {MaxValueBytes} are allowed.", nameof(value));
        return Write(ns, key, value, deleted: false, wallMs);
    }

    /// <summary>Leaves a tombstone, or returns null when there is nothing to delete.</summary>
    public StateEntry? Delete(string ns, string key, long wallMs) =>
        Get(ns, key) is null ? null : Write(ns, key, ReadOnlyMemory<byte>.Empty, deleted: true, wallMs);

    private StateEntry Write(string ns, string key, ReadOnlyMemory<byte> value, bool deleted, long wallMs)
    {
        _clock = _clock.Next(wallMs);
        var dot = new Dot(origin, ++_counter);
        var seen = _entries.TryGetValue((ns, key), out var before) ? before.Version : VersionVector.Empty;
        var entry = new StateEntry(ns, key, value, deleted, dot, seen, _clock);
        _entries[(ns, key)] = entry;
        Summary = Summary.With(dot);
        return entry;
    }

    /// <summary>Takes in one entry of a peer. Returns true when it changed this map, so that it is news to pass on.</summary>
    public bool Apply(StateEntry remote, long wallMs)
    {
        _clock = _clock.Receive(remote.Time, wallMs);
        if (Summary[remote.Dot.Origin] + 1 == remote.Dot.Counter)
            Summary = Summary.With(remote.Dot);

        var id = (remote.Namespace, remote.Key);
        if (!_entries.TryGetValue(id, out var local))
        {
            _entries[id] = remote;
            return true;
        }
        if (local.Version.Contains(remote.Dot))
            return false;
        if (remote.Supersedes(local))
        {
            _entries[id] = remote;
            return true;
        }
        // Concurrent. The winner's context takes in the loser, so that the loser is recognised when it comes by again.
        var remoteWins = (remote.Time, remote.Dot.Origin).CompareTo((local.Time, local.Dot.Origin)) > 0;
        var (winner, loser) = remoteWins ? (remote, local) : (local, remote);
        _entries[id] = winner with { Context = winner.Context.Merge(loser.Version) };
        return remoteWins;
    }

    /// <summary>
    /// What a replica with <paramref name="peerSummary"/> lacks, at most about <paramref name="maxBytes"/> of it, and the
    /// summary that the replica reaches by applying it.
    /// </summary>
    public (IReadOnlyList<StateEntry> Entries, VersionVector Reaches) DeltaFor(VersionVector peerSummary, int maxBytes)
    {
        var entries = new List<StateEntry>();
        var reaches = peerSummary;
        var size = 0;
        var missing = _entries.Values.Where(e => !peerSummary.Contains(e.Dot)).ToLookup(e => e.Dot.Origin);
        foreach (var known in Summary.Dots)
        {
            var full = false;
            foreach (var entry in missing[known.Origin].OrderBy(e => e.Dot.Counter))
            {
                size += entry.ApproximateSize;
                if (size > maxBytes && entries.Count > 0)
                {
                    full = true;
                    break;
                }
                entries.Add(entry);
                // Below this write of its origin nothing else is held here: later writes superseded it.
                if (known.Counter >= entry.Dot.Counter)
                    reaches = reaches.With(entry.Dot);
            }
            if (full)
                return (entries, reaches);
            reaches = reaches.With(known);
        }
        // Rumors that ran ahead of a gap: worth sending, though the summary cannot vouch for them.
        entries.AddRange(missing.Where(g => Summary[g.Key] == 0).SelectMany(g => g));
        return (entries, reaches);
    }

    /// <summary>Takes in a peer's delta, after which nothing up to <paramref name="reaches"/> is missing here.</summary>
    /// <returns>The entries that changed this map.</returns>
    public IReadOnlyList<StateEntry> ApplyDelta(IReadOnlyList<StateEntry> entries, VersionVector reaches, long wallMs)
    {
        var news = entries.Where(entry => Apply(entry, wallMs)).ToList();
        Summary = Summary.Merge(reaches);
        return news;
    }
}
