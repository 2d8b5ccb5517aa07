namespace Galaxy.Core.Routing;

/// <summary>Whose location has most of the caller's path in common; of those the least loaded.</summary>
/// <remarks>The table asks with the nearest, and with those further away when none of them can: see
/// <see cref="RoutingTable"/>.</remarks>
internal sealed class Nearest : IRouteStrategy
{
    public string Name => "location";

    public bool IsByLocation => true;

    public int Choose(
        Candidates candidates,
        in RouteQuery query,
        ReadOnlySpan<int> skip,
        Random random,
        TimeSpan now
    ) => candidates.LeastLoaded(skip, random);

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now) =>
        -InCommon(query.Location, candidates.Targets[index].Location)
        + Math.Min(0.999, candidates.LoadAt(index) / 1000);

    /// <summary>How many parts of the two paths are the same, from the left.</summary>
    internal static int InCommon(string? left, string? right)
    {
        if (string.IsNullOrEmpty(left) || string.IsNullOrEmpty(right))
            return 0;
        var count = 0;
        var rest = right.AsSpan().Split('/');
        foreach (var part in left.AsSpan().Split('/'))
        {
            if (!rest.MoveNext() || !left.AsSpan(part).SequenceEqual(right.AsSpan(rest.Current)))
                break;
            count++;
        }
        return count;
    }
}
