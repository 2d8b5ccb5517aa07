namespace Galaxy.Core.Routing.Strategies;

/// <summary>The least of what a target says of its load and what we have there ourselves.</summary>
internal sealed class LeastLoaded : IRouteStrategy
{
    public string Name => "least_loaded";

    public int Choose(Candidates candidates, in RouteQuery query, ReadOnlySpan<int> skip, Random random, TimeSpan now) => Least(candidates, skip, random);

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) => candidates.LoadAt(index);

    internal static int Least(Candidates candidates, ReadOnlySpan<int> skip, Random random)
    {
        if (candidates.Count == 0)
            return -1;
        // From a random place, so that equals take turns.
        var start = random.Next(candidates.Count);
        var (least, chosen) = (float.PositiveInfinity, -1);
        for (var i = start; i < candidates.Count; i++)
            Consider(i, candidates, skip, ref least, ref chosen);
        for (var i = 0; i < start; i++)
            Consider(i, candidates, skip, ref least, ref chosen);
        return chosen;
    }

    private static void Consider(int index, Candidates candidates, ReadOnlySpan<int> skip, ref float least, ref int chosen)
    {
        var load = candidates.LoadAt(index);
        if (load < least && !skip.Contains(index))
            (least, chosen) = (load, index);
    }
}
