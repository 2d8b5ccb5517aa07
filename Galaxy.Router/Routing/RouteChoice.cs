namespace Galaxy.Router.Routing;

/// <summary>Why a candidate was not considered.</summary>
internal sealed record Excluded(string Id, string Reason);

/// <summary>A decision with its reasons.</summary>
internal sealed record Decision(RouteTarget? Chosen, IReadOnlyList<RouteTarget> Candidates, IReadOnlyList<Excluded> Excluded);

/// <summary>Chooses among targets. Randomness comes in, so that a choice can be tested.</summary>
internal static class RouteChoice
{
    public static readonly IReadOnlyList<string> Strategies = ["least_loaded", "round_robin", "random"];

    /// <param name="turn">Which turn of the round robin this is.</param>
    public static Decision Choose(
        IReadOnlyList<RouteTarget> targets, string capability, string strategy, IReadOnlySet<string> exclude, Random random, long turn)
    {
        var candidates = new List<RouteTarget>();
        var excluded = new List<Excluded>();
        foreach (var target in targets.Where(target => target.Capabilities.Contains(capability)))
        {
            if (exclude.Contains(target.Id))
                excluded.Add(new Excluded(target.Id, "excluded by the caller"));
            else if (target.Status is "unhealthy" or "unknown")
                excluded.Add(new Excluded(target.Id, target.Status));
            else
                candidates.Add(target);
        }
        // A degraded target is better than none, and worse than any healthy one.
        if (candidates.Exists(target => target.Status == "healthy"))
        {
            excluded.AddRange(candidates.Where(target => target.Status != "healthy").Select(target => new Excluded(target.Id, target.Status)));
            candidates.RemoveAll(target => target.Status != "healthy");
        }
        if (candidates.Count == 0)
            return new Decision(null, candidates, excluded);
        candidates.Sort((left, right) => string.CompareOrdinal(left.Id, right.Id));
        var chosen = strategy switch
        {
            "round_robin" => candidates[(int)(turn % candidates.Count)],
            "random" => candidates[random.Next(candidates.Count)],
            _ => LeastLoaded(candidates, random),
        };
        return new Decision(chosen, candidates, excluded);
    }

    private static RouteTarget LeastLoaded(List<RouteTarget> candidates, Random random)
    {
        var least = candidates.Min(target => target.Load);
        var equals = candidates.Where(target => target.Load <= least).ToList();
        return equals[random.Next(equals.Count)];
    }
}
