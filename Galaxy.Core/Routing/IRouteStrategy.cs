namespace Galaxy.Core.Routing;

/// <summary>A way to choose among candidates. Stateless; randomness comes in.</summary>
public interface IRouteStrategy
{
    /// <summary>As callers name it.</summary>
    string Name { get; }

    /// <summary>It looks at where the caller is: near targets are asked before far ones.</summary>
    bool IsByLocation => false;

    /// <summary>
    /// The strategy always makes the same choice, so chance does not turn requests away from the chosen target: not
    /// even a recovering target gets less than its share.
    /// </summary>
    bool IsFixed => false;

    /// <summary>The index of the chosen candidate; -1: all are skipped.</summary>
    /// <param name="skip">Indexes that do not count.</param>
    int Choose(Candidates candidates, in RouteQuery query, ReadOnlySpan<int> skip, Random random, TimeSpan now);

    /// <summary>What the choice goes by, for explanations; the least is chosen unless chance or turn decides.</summary>
    double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now);
}

/// <summary>All strategies, by name.</summary>
public static class RouteStrategies
{
    public static IRouteStrategy LeastLoaded { get; } = new LeastLoaded();

    public static IRouteStrategy Adaptive { get; } = new PowerOfTwo();

    /// <summary>Used whenever there is a key, whatever else was asked for.</summary>
    public static IRouteStrategy Sticky { get; } = new Sticky();

    public static IReadOnlyList<IRouteStrategy> All { get; } =
    [LeastLoaded, new RoundRobin(), new RandomChoice(), new Nearest(), Adaptive];

    public static string Names { get; } = string.Join(", ", All.Select(strategy => strategy.Name));

    public static IRouteStrategy? Find(string name)
    {
        foreach (var strategy in All)
        {
            if (strategy.Name == name)
                return strategy;
        }
        return null;
    }
}
