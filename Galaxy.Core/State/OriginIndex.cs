using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>
/// The writes that are still held, by origin and counter: what a peer lacks is found without looking at what it has.
/// </summary>
internal sealed class OriginIndex
{
    private static readonly Comparer<(ulong Counter, EntryId Id)> ByCounter = Comparer<(
        ulong Counter,
        EntryId Id
    )>.Create((a, b) => a.Counter.CompareTo(b.Counter));

    private readonly SortedDictionary<string, SortedSet<(ulong Counter, EntryId Id)>> _origins = new(
        StringComparer.Ordinal
    );

    /// <summary>Origins with at least one write held, in ordinal order.</summary>
    public IEnumerable<string> Origins => _origins.Keys;

    public bool Holds(string origin) => _origins.ContainsKey(origin);

    public void Add(StateEntry entry)
    {
        foreach (var version in entry.Versions)
        {
            if (!_origins.TryGetValue(version.Dot.Origin, out var writes))
                _origins[version.Dot.Origin] = writes = new SortedSet<(ulong, EntryId)>(ByCounter);
            writes.Add((version.Dot.Counter, new EntryId(entry.Namespace, entry.Key)));
        }
    }

    public void Remove(StateEntry entry)
    {
        foreach (var version in entry.Versions)
        {
            if (!_origins.TryGetValue(version.Dot.Origin, out var writes))
                continue;
            writes.Remove((version.Dot.Counter, default));
            if (writes.Count == 0)
                _origins.Remove(version.Dot.Origin);
        }
    }

    public bool Holds(Dot dot) =>
        _origins.TryGetValue(dot.Origin, out var writes) && writes.Contains((dot.Counter, default));

    /// <summary>The writes of an origin after <paramref name="counter"/>, in order.</summary>
    public IEnumerable<(ulong Counter, EntryId Id)> After(string origin, ulong counter)
    {
        if (!_origins.TryGetValue(origin, out var writes) || writes.Max.Counter <= counter)
            return [];
        return writes.GetViewBetween((counter + 1, default), (ulong.MaxValue, default));
    }
}
