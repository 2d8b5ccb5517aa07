namespace Galaxy.Core.Routing;

/// <summary>The target with the greatest hash of the key and its id.</summary>
internal sealed class Sticky : IRouteStrategy
{
    public string Name => "sticky";

    public bool IsFixed => true;

    public int Choose(Candidates candidates, in RouteQuery query, ReadOnlySpan<int> skip, Random random, TimeSpan now)
    {
        var key = RendezvousHash.Of(query.Key);
        var hashes = candidates.Hashes;
        var (greatest, chosen) = (0ul, -1);
        for (var i = 0; i < hashes.Length; i++)
        {
            var weight = RendezvousHash.Weigh(key, hashes[i]);
            if (weight >= greatest && !skip.Contains(i))
                (greatest, chosen) = (weight, i);
        }
        return chosen;
    }

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) =>
        1 - (RendezvousHash.Weigh(RendezvousHash.Of(query.Key), candidates.Hashes[index]) / (double)ulong.MaxValue);
}
