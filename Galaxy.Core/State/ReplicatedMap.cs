using System.Collections.Immutable;
using System.Text;
using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>
/// The map <c>namespace/key → entry</c> that every coordinator holds. A write carries a dot and the version vector of
/// what its writer had seen of the key; writes that did not know of each other stay side by side and are read by the
/// entry's <see cref="ConflictPolicy"/>. Replicas compare <see cref="Summary"/> and send each other exactly what is
/// missing (<see cref="DeltaFor"/>). Not thread-safe: its owner serialises access.
/// </summary>
/// <param name="origin">Names this replica's writes. A replica that may have lost its last writes takes another one: no
/// dot is ever used twice.</param>
public sealed class ReplicatedMap(string origin, StateLimits? limits = null)
{
    private readonly StateLimits _limits = limits ?? new StateLimits();
    private readonly SortedDictionary<string, SortedDictionary<string, StateEntry>> _namespaces = new(
        StringComparer.Ordinal
    );
    private readonly OriginIndex _index = new();
    private readonly Dictionary<string, ulong> _forgotten = new(StringComparer.Ordinal);
    private Hlc _clock;

    /// <summary>Names this replica's writes.</summary>
    public string Origin => origin;

    /// <summary>The last counter used here.</summary>
    public ulong Counter { get; private set; }

    /// <summary>Per origin, the highest write below which nothing is missing here.</summary>
    public VersionVector Summary { get; private set; } = VersionVector.Empty;

    /// <summary>
    /// Up to here <see cref="Compact"/> has dropped what deltas would need. A replica that has not seen as much cannot
    /// learn from a delta what was dropped: it needs everything (<see cref="Replace"/>).
    /// </summary>
    public VersionVector Pruned { get; private set; } = VersionVector.Empty;

    /// <summary>The latest reading of the clock.</summary>
    public Hlc Clock => _clock;

    /// <summary>Entries held, tombstones included.</summary>
    public int Count { get; private set; }

    /// <summary>What the entries take, in bytes as <see cref="StateEntry.ApproximateSize"/> counts.</summary>
    public long Bytes { get; private set; }

    private readonly Dictionary<string, long> _bytesBy = new(StringComparer.Ordinal);

    /// <summary>
    /// The same on replicas that show readers the same. Replicas that have seen the same writes and differ have
    /// compacted around a write that did not know what was dropped: <see cref="NeedsEverything"/>.
    /// </summary>
    public ulong Digest { get; private set; }

    /// <summary>The entry as stored, a tombstone, too; null when nothing is known of the key.</summary>
    public StateEntry? Find(EntryId id) =>
        _namespaces.TryGetValue(id.Namespace, out var entries) ? entries.GetValueOrDefault(id.Key) : null;

    /// <summary>The entry, or null when a reader sees nothing.</summary>
    public StateEntry? Get(string ns, string key) =>
        Find(new EntryId(ns, key)) is { Deleted: false } entry ? entry : null;

    /// <summary>The entries of a namespace that a reader sees, ordered by key (ordinal).</summary>
    public IReadOnlyList<StateEntry> List(string ns) =>
        _namespaces.TryGetValue(ns, out var entries) ? [.. entries.Values.Where(entry => !entry.Deleted)] : [];

    /// <summary>Those of them whose keys begin with <paramref name="prefix"/>.</summary>
    public IReadOnlyList<StateEntry> List(string ns, string prefix) =>
        _namespaces.TryGetValue(ns, out var entries)
            ?
            [
                .. entries.Values.Where(entry =>
                    entry.Key.StartsWith(prefix, StringComparison.Ordinal) && !entry.Deleted
                ),
            ]
            : [];

    /// <summary>Every entry, tombstones included, in an order that is the same on every replica.</summary>
    public IEnumerable<StateEntry> All => _namespaces.Values.SelectMany(entries => entries.Values);

    /// <summary>Writes a value that replaces whatever is known here.</summary>
    /// <exception cref="StateLimitException">A bound would be passed.</exception>
    public StateEntry Put(string ns, string key, ReadOnlyMemory<byte> value, long wallMs) =>
        Write(ns, key, new StateWrite(value), wallMs)!;

    /// <summary>Leaves a tombstone, or returns null when there is nothing to delete.</summary>
    public StateEntry? Delete(string ns, string key, long wallMs) => Write(ns, key, new StateWrite(null), wallMs);

    /// <summary>
    /// Writes what is asked for, in place of all siblings known here. Null: nothing had to change, as there was nothing
    /// to delete or a merged document is the same already.
    /// </summary>
    /// <exception cref="StateLimitException">A bound would be passed.</exception>
    /// <exception cref="System.Text.Json.JsonException">A merged value is not a JSON object.</exception>
    public StateEntry? Write(string ns, string key, StateWrite write, long wallMs)
    {
        var id = new EntryId(ns, key);
        if (write.Value is { } value && value.Length > _limits.EntryBytes)
            throw new StateLimitException(
                $"The value of {id} has {value.Length} bytes; at most {_limits.EntryBytes} are allowed."
            );
        var before = Find(id);
        if (write.Value is null && before?.Deleted != false)
            return null;

        var (clock, dot) = (_clock.Next(wallMs), new Dot(origin, Counter + 1));
        var versions =
            write.Value is { } document && write.Policy == ConflictPolicy.Merge
                ? MergedVersions(before, document, write, dot, clock)
                :
                [
                    new StateVersion(
                        "",
                        dot,
                        clock,
                        write.Value is null,
                        write.Value is null && before is not null ? before.Policy : write.Policy,
                        write.Priority,
                        write.Value ?? default
                    ),
                ];
        if (versions.IsEmpty)
            return null;
        var entry = new StateEntry(ns, key, versions, (before?.Context ?? VersionVector.Empty).With(dot));
        if (write.Value is not null && entry.ApproximateSize > _limits.StoredEntryBytes)
            throw new StateLimitException(
                $"{id} would take {entry.ApproximateSize} bytes with the paths of its values and what was "
                    + $"removed; at most {_limits.StoredEntryBytes} are allowed. Use shorter names, or "
                    + "several keys."
            );
        if (
            write.Value is not null
            && _limits.NamespaceBytes.TryGetValue(ns, out var room)
            && _bytesBy.GetValueOrDefault(ns) - (before?.ApproximateSize ?? 0) + entry.ApproximateSize > room
        )
            throw new StateLimitException(
                $"The namespace '{ns}' is full: it may take {room} bytes. Delete what is not needed."
            );
        if (
            write.Value is not null
            && Bytes - (before?.ApproximateSize ?? 0) + entry.ApproximateSize
                > _limits.TotalBytes + (_limits.Reserved.Contains(ns) ? _limits.ReservedBytes : 0)
        )
            throw new StateLimitException(
                $"The replicated state is full: {Bytes} of {_limits.TotalBytes} bytes are used. Delete "
                    + "what is not needed."
            );
        (_clock, Counter) = (clock, dot.Counter);
        Store(before, entry);
        Summary = Summary.With(dot);
        return entry;
    }

    private void CountBytes(string ns, long bytes)
    {
        Bytes += bytes;
        _bytesBy[ns] = _bytesBy.GetValueOrDefault(ns) + bytes;
    }

    // Only the fields that change are written; what others write at the same time in other fields stays.
    private ImmutableArray<StateVersion> MergedVersions(
        StateEntry? before,
        ReadOnlyMemory<byte> document,
        StateWrite write,
        Dot dot,
        Hlc clock
    )
    {
        var held = before?.Versions ?? [];
        var changes = MergeDocument.Changes(held, MergeDocument.Flatten(document), origin);
        if (changes.Count == 0)
            return [];
        var versions = held.Where(version => !changes.ContainsKey(version.Path)).ToList();
        versions.AddRange(
            changes.Select(change => new StateVersion(
                change.Key,
                dot,
                clock,
                change.Value is null,
                ConflictPolicy.Merge,
                write.Priority,
                change.Value is null ? default : Encoding.UTF8.GetBytes(change.Value)
            ))
        );
        versions.Sort(StateVersion.CompareByPlace);
        return [.. versions];
    }

    /// <summary>
    /// Takes in one entry of a peer, a rumor. Returns true when it changed this map, so that it is news to pass on.
    /// </summary>
    /// <param name="prunedThere">
    /// The <see cref="Pruned"/> of the replica that it comes from: what was dropped there is missing in the entry's
    /// context, too.
    /// </param>
    public bool Apply(StateEntry remote, VersionVector prunedThere)
    {
        var changed = Take(remote, prunedThere);
        foreach (var version in remote.Versions)
        {
            if (Summary[version.Dot.Origin] + 1 != version.Dot.Counter)
                continue;
            Summary = Summary.With(version.Dot);
            Absorb(version.Dot.Origin);
        }
        return changed;
    }

    private bool Take(StateEntry remote, VersionVector seenThere)
    {
        foreach (var version in remote.Versions)
            _clock = _clock.Receive(version.Time);
        var id = new EntryId(remote.Namespace, remote.Key);
        var local = Find(id);
        if (local is null)
        {
            // What was seen here and is not held was superseded, or forgotten.
            var news = remote.Versions.RemoveAll(version => Summary.Contains(version.Dot));
            if (news.IsEmpty)
                return false;
            Store(null, remote with { Versions = news });
            return true;
        }
        var joined = StateEntry.Join(local, remote, Summary, seenThere);
        if (ReferenceEquals(joined, local))
            return false;
        if (joined.Versions.IsEmpty)
            Drop(local);
        else
            Store(local, joined);
        return joined.Versions != local.Versions;
    }

    /// <summary>
    /// What a replica with <paramref name="peerSummary"/> lacks, and the summary that it reaches by applying all of it.
    /// Null when that is more than <paramref name="maxBytes"/>: then it is given everything. There are no pieces: the
    /// summary vouches for writes that others superseded, and those others have to arrive with it.
    /// </summary>
    public (IReadOnlyList<StateEntry> Entries, VersionVector Reaches)? DeltaFor(VersionVector peerSummary, int maxBytes)
    {
        var entries = new List<StateEntry>();
        var chosen = new HashSet<EntryId>();
        var size = 0;
        foreach (var name in _index.Origins)
        {
            foreach (var (_, id) in _index.After(name, peerSummary[name]))
            {
                if (!chosen.Add(id))
                    continue;
                var entry = Find(id)!;
                size += entry.ApproximateSize;
                if (size > maxBytes)
                    return null;
                entries.Add(entry);
            }
        }
        return (entries, peerSummary.Merge(Summary));
    }

    /// <summary>
    /// Takes in a peer's delta, after which nothing up to <paramref name="reaches"/> is missing here.
    /// </summary>
    /// <param name="prunedThere">The peer's <see cref="Pruned"/>.</param>
    /// <returns>The entries as they are now, of those that changed.</returns>
    public IReadOnlyList<StateEntry> ApplyDelta(
        IReadOnlyList<StateEntry> entries,
        VersionVector reaches,
        VersionVector prunedThere
    )
    {
        var news = new List<StateEntry>();
        foreach (var entry in entries)
        {
            if (reaches.IsEmpty ? Apply(entry, prunedThere) : Take(entry, prunedThere))
                news.Add(Find(new EntryId(entry.Namespace, entry.Key)) ?? entry);
        }
        Reach(reaches);
        return news;
    }

    /// <summary>
    /// True when a delta is not enough for that replica: something was forgotten here that it has not seen, or it has
    /// seen the same and shows something else.
    /// </summary>
    /// <param name="peerDigest">Null: it does not say.</param>
    public bool NeedsEverything(VersionVector peerSummary, ulong? peerDigest)
    {
        if (peerDigest is { } digest && digest != Digest && peerSummary.Equals(Summary))
            return true;
        foreach (var dot in Pruned.Dots)
        {
            if (peerSummary[dot.Origin] < dot.Counter && Summary[dot.Origin] > 0)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Takes in all that a peer holds: what it has seen and does not hold was superseded or forgotten, and goes here,
    /// too. What only this replica wrote stays.
    /// </summary>
    /// <returns>The entries that changed, and the last state of those that went.</returns>
    public IReadOnlyList<StateEntry> Replace(
        IReadOnlyList<StateEntry> entries,
        VersionVector peerSummary,
        VersionVector peerPruned
    )
    {
        var news = new List<StateEntry>();
        var there = new HashSet<EntryId>();
        foreach (var entry in entries)
        {
            var id = new EntryId(entry.Namespace, entry.Key);
            there.Add(id);
            if (Take(entry, peerSummary) && Find(id) is { } now)
                news.Add(now);
        }
        foreach (var local in All.Where(entry => !there.Contains(new EntryId(entry.Namespace, entry.Key))).ToList())
        {
            var kept = local.Versions.RemoveAll(version => peerSummary.Contains(version.Dot));
            if (kept.Length == local.Versions.Length)
                continue;
            if (kept.IsEmpty)
                Drop(local);
            else
                Store(local, local with { Versions = kept });
            news.Add(local);
        }
        Reach(peerSummary);
        Pruned = Pruned.Merge(peerPruned);
        return news;
    }

    /// <summary>
    /// Drops what no replica needs any more. Of an entry whose writes every member has seen, the tombstones go, the
    /// siblings that its policy passes over, and the record of what its writers had seen. A replica that was away, or
    /// comes back from an old snapshot, is told by <see cref="Pruned"/> and gets everything.
    /// </summary>
    /// <param name="stable">
    /// What every member has seen, as they said; and whatever a member had written by then has been seen here, so that
    /// no write is still on its way that does not know of these (causal stability: Baquero et al., "Making
    /// Operation-based CRDTs Operation-based", 2014).
    /// </param>
    public void Compact(VersionVector stable)
    {
        foreach (var entry in All.Where(entry => entry.Versions.All(version => stable.Contains(version.Dot))).ToList())
        {
            var versions = entry.Policy switch
            {
                ConflictPolicy.Manual when !entry.IsTombstone => entry.Versions,
                ConflictPolicy.Merge => [.. MergeDocument.Reduce(entry.Versions)],
                _ when entry.Deleted => [],
                _ => [entry.View.Winner!],
            };
            if (versions.IsEmpty)
            {
                Drop(entry);
                continue;
            }
            var context = versions.Aggregate(VersionVector.Empty, (vector, version) => vector.With(version.Dot));
            if (versions.Length != entry.Versions.Length || !context.Equals(entry.Context))
                Store(entry, entry with { Versions = versions, Context = context });
        }
        Pruned = Pruned.Merge(stable);
    }

    /// <summary>
    /// Drops an entry whose time to live is over. Every replica does so by itself, from the time that the entry
    /// carries.
    /// </summary>
    public void Expire(StateEntry entry) => Drop(entry);

    /// <summary>
    /// Shortens the clock: an origin that no process writes under any more and of which no entry is held is known in
    /// full to every member. It stays forgotten when a peer that has not compacted yet names it.
    /// </summary>
    public void ForgetOrigins(IEnumerable<string> departed)
    {
        foreach (var name in departed)
        {
            if (name == origin || _index.Holds(name) || Summary[name] == 0)
                continue;
            _forgotten[name] = Summary[name];
            (Summary, Pruned) = (Summary.Without(name), Pruned.Without(name));
        }
    }

    private void Reach(VersionVector vector)
    {
        var merged = Summary.Merge(vector);
        foreach (var (name, counter) in _forgotten)
        {
            if (merged[name] == 0)
                continue;
            if (merged[name] <= counter)
                merged = merged.Without(name);
        }
        Summary = merged;
        foreach (var name in _index.Origins)
            Absorb(name);
    }

    // Rumors that ran ahead are part of what is complete once the gap before them has closed.
    private void Absorb(string name)
    {
        var next = new Dot(name, Summary[name] + 1);
        while (_index.Holds(next))
        {
            Summary = Summary.With(next);
            next = next with { Counter = next.Counter + 1 };
        }
    }

    /// <summary>Loads a snapshot into an empty map.</summary>
    public void Load(IEnumerable<StateEntry> entries, VersionVector summary, VersionVector pruned, Hlc clock)
    {
        if (Count > 0)
            throw new InvalidOperationException("A snapshot is loaded into an empty map only.");
        foreach (var entry in entries)
            Store(null, entry);
        (Summary, Pruned, _clock) = (summary, pruned, clock);
    }

    /// <summary>
    /// Call once everything that this origin wrote before a restart has been loaded: the next write follows the last
    /// one.
    /// </summary>
    public void Continue() => Counter = Summary[origin];

    private void Store(StateEntry? before, StateEntry entry)
    {
        if (before is not null)
            _index.Remove(before);
        if (!_namespaces.TryGetValue(entry.Namespace, out var entries))
            _namespaces[entry.Namespace] = entries = new SortedDictionary<string, StateEntry>(StringComparer.Ordinal);
        entries[entry.Key] = entry;
        Count += before is null ? 1 : 0;
        _index.Add(entry);
        CountBytes(entry.Namespace, entry.ApproximateSize - (before?.ApproximateSize ?? 0));
        Digest ^= entry.Digest ^ (before?.Digest ?? 0);
    }

    private void Drop(StateEntry entry)
    {
        _index.Remove(entry);
        if (_namespaces.TryGetValue(entry.Namespace, out var entries) && entries.Remove(entry.Key))
            Count--;
        if (entries is { Count: 0 })
            _namespaces.Remove(entry.Namespace);
        CountBytes(entry.Namespace, -entry.ApproximateSize);
        Digest ^= entry.Digest;
    }
}
