namespace Galaxy.Core.Routing;

/// <summary>
/// Highest random weight (Thaler and Ravishankar, 1998): each key goes to the target with the greatest hash of both, so
/// that a target that goes takes only its own keys along, and every router says the same without asking another.
/// </summary>
public static class RendezvousHash
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    /// <summary>The same on every machine and in every version (FNV-1a, then mixed).</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        var hash = Offset;
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime;
        return Mix(hash);
    }

    /// <summary>
    /// The weight of a key at a target; both hashed, so that one multiplication is enough: the upper bits of the
    /// product, which decide, depend on all of both.
    /// </summary>
    public static ulong Weigh(ulong key, ulong target) => (key ^ target) * 0x9E3779B97F4A7C15;

    // The finalizer of splitmix64.
    private static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}
