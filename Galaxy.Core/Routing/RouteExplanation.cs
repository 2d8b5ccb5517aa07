namespace Galaxy.Core.Routing;

/// <summary>A target among which the strategy chose.</summary>
/// <param name="Score">The value that the strategy compares; the least wins, unless chance or turn decides.</param>
/// <param name="Share">Less than 1: the target is recovering, and gets that much of its share.</param>
public sealed record ExplainedCandidate(
    string Id,
    double Score,
    double Load,
    int InFlight,
    double LatencyMs,
    double Share
);

/// <summary>A target that offers the capability and was no candidate.</summary>
public sealed record ExplainedExclusion(string Id, string Reason);

/// <summary>A decision with its reasons.</summary>
public sealed record RouteExplanation(
    string Capability,
    string Strategy,
    string? Rule,
    RouteTarget? Chosen,
    IReadOnlyList<ExplainedCandidate> Candidates,
    IReadOnlyList<ExplainedExclusion> Excluded
)
{
    /// <summary>Decides, and says why. The reasons come from the same rules that the decision follows.</summary>
    public static RouteExplanation Of(RoutingTable table, in RouteQuery query, Random random, TimeSpan now)
    {
        var asked = query;
        var choice = table.Choose(query, random, now);
        var group = ChosenGroup(choice);
        var excluded = new List<ExplainedExclusion>();
        var left = new List<(RouteTarget Target, TargetState State)>();
        foreach (var (target, state) in table.Offers(query.Capability))
        {
            if (Reason(target, state, asked, choice.Rule, group, now) is { } reason)
                excluded.Add(new ExplainedExclusion(target.Id, reason));
            else
                left.Add((target, state));
        }
        if (left.Exists(entry => RoutingTable.StatusOf(entry.Target, entry.State) == TargetStatus.Healthy))
            Exclude(
                left,
                excluded,
                entry => RoutingTable.StatusOf(entry.Target, entry.State) != TargetStatus.Healthy,
                "it is degraded, and others are healthy"
            );
        if (choice.Strategy.IsByLocation && asked.Location is not null && left.Count > 0)
        {
            var nearest = left.Max(entry => Nearest.InCommon(asked.Location, entry.Target.Location));
            Exclude(
                left,
                excluded,
                entry => Nearest.InCommon(asked.Location, entry.Target.Location) != nearest,
                "another is nearer"
            );
        }
        var candidates = new Candidates(left, 0);
        var explained = Enumerable
            .Range(0, candidates.Count)
            .Select(i => new ExplainedCandidate(
                candidates.Targets[i].Id,
                Math.Round(choice.Strategy.Score(candidates, i, asked, now), 6),
                candidates.Targets[i].Load,
                candidates.State(i).InFlight,
                Math.Round(candidates.State(i).LatencyAt(now), 3),
                Math.Round(candidates.State(i).Breaker.ShareAt(now), 2)
            ));
        return new RouteExplanation(
            query.Capability,
            choice.Strategy.Name,
            choice.Rule?.Name,
            choice.Target,
            [.. explained.OrderBy(one => one.Score).ThenBy(one => one.Id, StringComparer.Ordinal)],
            excluded
        );
    }

    private static int ChosenGroup(RouteChoice choice)
    {
        if (choice is not { Rule: { Groups: { Count: > 0 } groups }, Target: { } target })
            return -1;
        return Enumerable.Range(0, groups.Count).First(group => RoutingTable.Selects(groups[group], target));
    }

    private static string? Reason(
        RouteTarget target,
        TargetState state,
        in RouteQuery query,
        RouteRule? rule,
        int group,
        TimeSpan now
    )
    {
        if (
            rule is { Groups.Count: > 0 }
            && !(
                group < 0
                    ? rule.Groups.Any(any => RoutingTable.Selects(any, target))
                    : RoutingTable.Selects(rule.Groups[group], target)
            )
        )
            return group >= 0 && rule.Groups.Skip(group).Any(later => RoutingTable.Selects(later, target))
                ? $"rule '{rule.Name}' prefers others"
                : $"rule '{rule.Name}' does not name it";
        if (!Labels.Match(query.Labels, target.Labels))
            return "its labels do not match";
        if (query.Only is not null && query.Only != target.Id)
            return $"only {query.Only} is wanted";
        if (query.Exclude?.Contains(target.Id) == true)
            return "excluded by the caller";
        return RoutingTable.Obstacle(target, state, now)
            ?? (
                !query.WillTell && state.Breaker.StateAt(now) == BreakerState.HalfOpen
                    ? "it was ejected, and one request at a time tries it"
                    : null
            );
    }

    private static void Exclude(
        List<(RouteTarget, TargetState)> left,
        List<ExplainedExclusion> excluded,
        Predicate<(RouteTarget Target, TargetState State)> which,
        string reason
    )
    {
        excluded.AddRange(
            left.Where(entry => which(entry)).Select(entry => new ExplainedExclusion(entry.Item1.Id, reason))
        );
        left.RemoveAll(which);
    }
}
