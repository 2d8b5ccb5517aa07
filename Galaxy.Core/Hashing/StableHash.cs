namespace Galaxy.Core.Hashing;

/// <summary>
/// A 64-bit hash that is the same on every machine and in every version: FNV-1a, finished with a mixer, as sums of the
/// bare one would show its weakness. Not against malice.
/// </summary>
internal readonly struct StableHash
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    private readonly ulong _hash;

    private StableHash(ulong hash) => _hash = hash;

    public static StableHash Start => new(Offset);

    public StableHash Add(string text)
    {
        var hash = _hash;
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime;
        return new StableHash((hash ^ 0xFFFF) * Prime);
    }

    public StableHash Add(ulong number)
    {
        var hash = _hash;
        for (var shift = 0; shift < 64; shift += 8)
            hash = (hash ^ ((number >> shift) & 0xFF)) * Prime;
        return new StableHash(hash);
    }

    public ulong Finish()
    {
        var hash = _hash ^ (_hash >> 32);
        hash *= 0xD6E8FEB86659FD93;
        return hash ^ (hash >> 32);
    }
}
