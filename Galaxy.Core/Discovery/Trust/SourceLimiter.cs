using System.Net;

namespace Galaxy.Core.Discovery.Trust;

/// <summary>
/// How many packets are looked at: a bucket of tokens per source address and one for all. A flood is cut off before it
/// is parsed. Bounded: of more sources than <see cref="MostSources"/> the one that was quiet the longest is forgotten.
/// Not thread-safe.
/// </summary>
public sealed class SourceLimiter(int perSource = 100, int burst = 200, int total = 2000)
{
    public const int MostSources = 4096;

    private readonly Dictionary<IPAddress, Bucket> _sources = [];
    private readonly LinkedList<IPAddress> _byUse = new();
    private Bucket _all = new(total * 2);

    private struct Bucket(double tokens)
    {
        public double Tokens = tokens;
        public TimeSpan Filled;
        public LinkedListNode<IPAddress>? Place;

        public bool Take(int rate, int most, TimeSpan now)
        {
            Tokens = Math.Min(most, Tokens + ((now - Filled).TotalSeconds * rate));
            Filled = now;
            if (Tokens < 1)
                return false;
            Tokens--;
            return true;
        }
    }

    /// <summary>How many sources are remembered.</summary>
    public int Count => _sources.Count;

    /// <summary>Null when a packet of that source may be looked at; otherwise the reason for the counter.</summary>
    public string? Refuse(IPAddress source, TimeSpan now)
    {
        ref var bucket = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
            _sources,
            source,
            out var known
        );
        if (!known)
            bucket = new Bucket(burst) { Filled = now, Place = _byUse.AddLast(source) };
        else if (bucket.Place is { } place && !ReferenceEquals(_byUse.Last, place))
        {
            _byUse.Remove(place);
            _byUse.AddLast(place);
        }
        var allowed = bucket.Take(perSource, burst, now);
        if (!known && _sources.Count > MostSources)
        {
            _sources.Remove(_byUse.First!.Value);
            _byUse.RemoveFirst();
        }
        if (!allowed)
            return "flooding";
        return _all.Take(total, total * 2, now) ? null : "too many packets";
    }
}
