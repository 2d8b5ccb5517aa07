namespace Galaxy.Core.Routing;

/// <summary>Any, with equal chances.</summary>
internal sealed class RandomChoice : IRouteStrategy
{
    public string Name => "random";

    public int Choose(
        Candidates candidates,
        in RouteQuery query,
        ReadOnlySpan<int> skip,
        Random random,
        TimeSpan now
    ) => Any(candidates, skip, random);

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) => 0;

    /// <summary>The n-th of those that are not skipped, n by chance.</summary>
    internal static int Any(Candidates candidates, ReadOnlySpan<int> skip, Random random)
    {
        var left = candidates.Count;
        foreach (var index in skip)
            left -= (uint)index < (uint)candidates.Count ? 1 : 0;
        if (left <= 0)
            return -1;
        var chosen = random.Next(left);
        if (skip.IsEmpty)
            return chosen;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (!skip.Contains(i) && chosen-- == 0)
                return i;
        }
        return -1;
    }
}
