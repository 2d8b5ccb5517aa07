namespace Galaxy.Core.Routing;

/// <summary>The least of what a target says of its load and what we have there ourselves.</summary>
internal sealed class LeastLoaded : IRouteStrategy
{
    public string Name => "least_loaded";

    public int Choose(
        Candidates candidates,
        in RouteQuery query,
        ReadOnlySpan<int> skip,
        Random random,
        TimeSpan now
    ) => candidates.LeastLoaded(skip, random);

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) =>
        candidates.LoadAt(index);
}
