namespace Galaxy.Core.State;

/// <summary>
/// A number that is the same for equal states as readers see them: of each entry the hash of the writes that decide its view, all
/// combined by exclusive or. What compaction drops does not count. FNV-1a, finished with a mixer, as the sum would show
/// its weakness.
/// </summary>
internal static class StateDigest
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    /// <summary>0 for an entry of which a reader sees nothing.</summary>
    public static ulong Of(StateEntry entry)
    {
        if (entry.Policy == ConflictPolicy.Merge)
        {
            var places = MergeDocument.Reduce(entry.Versions).ToList();
            return places.Count == 0 ? 0 : Of(entry, places);
        }
        if (entry.Deleted)
            return 0;
        return entry.Policy == ConflictPolicy.Manual ? Of(entry, entry.Versions) : Of(entry, [entry.View.Winner!]);
    }

    private static ulong Of(StateEntry entry, IReadOnlyList<StateVersion> versions)
    {
        var hash = Add(Add(Offset, entry.Namespace), entry.Key);
        foreach (var version in versions)
            hash = Add(Add(Add(hash, version.Path), version.Dot.Origin), version.Dot.Counter);
        hash ^= hash >> 32;
        hash *= 0xD6E8FEB86659FD93;
        return hash ^ (hash >> 32);
    }

    private static ulong Add(ulong hash, string text)
    {
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime;
        return (hash ^ 0xFFFF) * Prime;
    }

    private static ulong Add(ulong hash, ulong number)
    {
        for (var shift = 0; shift < 64; shift += 8)
            hash = (hash ^ ((number >> shift) & 0xFF)) * Prime;
        return hash;
    }
}
