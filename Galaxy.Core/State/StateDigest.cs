using Galaxy.Core.Hashing;

namespace Galaxy.Core.State;

/// <summary>
/// A number that is the same for equal states as readers see them: of each entry the hash of the writes that decide its
/// view, all combined by exclusive or. What compaction drops does not count.
/// </summary>
internal static class StateDigest
{
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
        var hash = StableHash.Start.Add(entry.Namespace).Add(entry.Key);
        foreach (var version in versions)
            hash = hash.Add(version.Path).Add(version.Dot.Origin).Add(version.Dot.Counter);
        return hash.Finish();
    }
}
