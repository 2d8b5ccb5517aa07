using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Galaxy.Core.Routing;

/// <summary>A decision.</summary>
/// <param name="Target">Null: no target can take the request.</param>
public readonly record struct RouteChoice(
    RouteTarget? Target,
    TargetState? State,
    IRouteStrategy Strategy,
    RouteRule? Rule
)
{
    /// <summary>The targets among which it was chosen.</summary>
    public IReadOnlyList<RouteTarget> Among { get; init; } = [];

    /// <summary>How the target offers what was asked for.</summary>
    public RouteCapability? Offer(string capability) =>
        Target?.Capabilities.FirstOrDefault(one => one.Name == capability);
}

/// <summary>
/// Which targets offer which capabilities, as it is at one moment; made anew whenever that changes. Choosing is reading
/// it. Immutable except for its caches; thread-safe.
/// </summary>
public sealed class RoutingTable
{
    // Combinations of labels, locations and rules that are kept; more are worked out each time.
    private const int MostNarrowed = 256;

    private readonly FrozenDictionary<string, Offering> _offerings;
    private readonly IReadOnlyList<RouteRule> _rules;

    /// <summary>
    /// All that offer one capability, whatever their state, and those that can be chosen now, narrowed down.
    /// </summary>
    private sealed class Offering(
        IReadOnlyList<(RouteTarget, TargetState)> all,
        IReadOnlyList<(RouteTarget, TargetState)> open
    )
    {
        public IReadOnlyList<(RouteTarget Target, TargetState State)> All => all;
        public IReadOnlyList<(RouteTarget Target, TargetState State)> Open => open;
        public ConcurrentDictionary<Narrowing, Candidates[]> Narrowed { get; } = new();
    }

    private readonly record struct Narrowing(
        RouteRule? Rule,
        int Group,
        string? Labels,
        string? Location,
        string? Only
    );

    private RoutingTable(
        IReadOnlyList<RouteTarget> targets,
        FrozenDictionary<string, Offering> offerings,
        IReadOnlyList<RouteRule> rules,
        TimeSpan? nextChange,
        TimeSpan now
    )
    {
        (Targets, _offerings, _rules, NextChange, MadeAt) = (targets, offerings, rules, nextChange, now);
        ById = targets.ToFrozenDictionary(target => target.Id, StringComparer.Ordinal);
    }

    public static RoutingTable Empty { get; } =
        Build([], id => new TargetState(id, BreakerOptions.Standard), [], TimeSpan.Zero);

    /// <summary>By id.</summary>
    public IReadOnlyList<RouteTarget> Targets { get; }

    public FrozenDictionary<string, RouteTarget> ById { get; }

    public IEnumerable<string> Capabilities => _offerings.Keys;

    public IReadOnlyList<RouteRule> Rules => _rules;

    public TimeSpan MadeAt { get; }

    /// <summary>When an ejection ends, so that the table is to be made anew; null: not by itself.</summary>
    public TimeSpan? NextChange { get; }

    /// <param name="targets">Of two with one id the first counts.</param>
    /// <param name="state">The lasting state of a target.</param>
    public static RoutingTable Build(
        IEnumerable<RouteTarget> targets,
        Func<string, TargetState> state,
        IReadOnlyList<RouteRule> rules,
        TimeSpan now
    )
    {
        var sorted = targets
            .DistinctBy(target => target.Id)
            .OrderBy(target => target.Id, StringComparer.Ordinal)
            .ToList();
        var states = sorted.ToDictionary(target => target.Id, target => state(target.Id), StringComparer.Ordinal);
        var offerings = sorted
            .SelectMany(target =>
                target
                    .Capabilities.Select(offer => offer.Name)
                    .Distinct()
                    .Select(name => (name, Entry: (target, states[target.Id])))
            )
            .GroupBy(pair => pair.name, pair => pair.Entry, StringComparer.Ordinal)
            .ToFrozenDictionary(
                group => group.Key,
                group => new Offering(
                    [.. group],
                    [.. group.Where(entry => Obstacle(entry.target, entry.Item2, now) is null)]
                ),
                StringComparer.Ordinal
            );
        var ends = states
            .Values.Where(one => one.Breaker.StateAt(now) == BreakerState.Open)
            .Select(one => (TimeSpan?)one.Breaker.Until)
            .Min();
        return new RoutingTable(sorted, offerings, rules, ends, now);
    }

    /// <summary>All targets that offer the capability, whatever their state.</summary>
    public IEnumerable<(RouteTarget Target, TargetState State)> Offers(string capability) =>
        _offerings.TryGetValue(capability, out var offering) ? offering.All : [];

    /// <summary>Worse of what it says of itself and what was found.</summary>
    public static TargetStatus StatusOf(RouteTarget target, TargetState state) =>
        (TargetStatus)Math.Max((int)target.Status, (int)state.Checked);

    /// <summary>Why a target is no candidate for any request; null: it is one.</summary>
    internal static string? Obstacle(RouteTarget target, TargetState state, TimeSpan now) =>
        StatusOf(target, state) switch
        {
            TargetStatus.Unhealthy when target.Status != TargetStatus.Unhealthy => "it failed the health check",
            TargetStatus.Unhealthy => target.IsDevice ? "it is offline" : "it does not answer",
            TargetStatus.Unknown => "its state is not known",
            _ when state.Breaker.StateAt(now) == BreakerState.Open =>
                $"ejected for {Math.Ceiling((state.Breaker.Until - now).TotalSeconds):0} s more, because it failed",
            _ => null,
        };

    public RouteChoice Choose(in RouteQuery query, Random random, TimeSpan now)
    {
        var rule = RuleFor(query);
        var strategy = StrategyFor(query, rule);
        if (!_offerings.TryGetValue(query.Capability, out var offering))
            return new RouteChoice(null, null, strategy, rule);
        for (var group = 0; group < Math.Max(1, rule?.Groups.Count ?? 1); group++)
        {
            foreach (
                var candidates in Narrow(
                    offering,
                    new Narrowing(
                        rule is { Groups.Count: > 0 } ? rule : null,
                        group,
                        query.Labels,
                        strategy.IsByLocation ? query.Location : null,
                        query.Only
                    ),
                    random
                )
            )
            {
                if (Pick(candidates, strategy, query, random, now) is >= 0 and var chosen)
                    return new RouteChoice(candidates.Targets[chosen], candidates.State(chosen), strategy, rule)
                    {
                        Among = candidates.Targets,
                    };
            }
        }
        return new RouteChoice(null, null, strategy, rule);
    }

    internal RouteRule? RuleFor(in RouteQuery query)
    {
        // By index: the enumerator of an interface is an allocation.
        for (var i = 0; i < _rules.Count; i++)
        {
            if (_rules[i].Matches(query))
                return _rules[i];
        }
        return null;
    }

    internal static IRouteStrategy StrategyFor(in RouteQuery query, RouteRule? rule) =>
        query.Key is { Length: > 0 }
            ? RouteStrategies.Sticky
            : query.Strategy ?? rule?.Strategy ?? RouteStrategies.LeastLoaded;

    private static int Pick(
        Candidates candidates,
        IRouteStrategy strategy,
        in RouteQuery query,
        Random random,
        TimeSpan now
    )
    {
        if (candidates.Count == 0)
            return -1;
        Span<int> skip = stackalloc int[RouteQuery.MostExcluded * 2];
        var skipped = 0;
        foreach (var id in query.Exclude.AsSpan())
        {
            if (
                skipped < RouteQuery.MostExcluded
                && candidates.IndexOf(id) is >= 0 and var index
                && !skip[..skipped].Contains(index)
            )
                skip[skipped++] = index;
        }
        // A recovering target takes a share of the requests; a target on trial takes one. A target that chance turned
        // away is better than none.
        var turnedAway = -1;
        while (
            skipped < skip.Length
            && strategy.Choose(candidates, query, skip[..skipped], random, now) is >= 0 and var chosen
        )
        {
            var breaker = candidates.State(chosen).Breaker;
            // A key belongs where it belongs: no chance in it.
            if (
                breaker.Admits(now, query.WillTell, random)
                || (strategy.IsFixed && breaker.StateAt(now) == BreakerState.Closed)
            )
                return chosen;
            if (turnedAway < 0 && breaker.StateAt(now) == BreakerState.Closed)
                turnedAway = chosen;
            skip[skipped++] = chosen;
        }
        return turnedAway;
    }

    private static Candidates[] Narrow(Offering offering, in Narrowing by, Random random) =>
        offering.Narrowed.TryGetValue(by, out var known) ? known : WorkOut(offering, by, random);

    // By preference: a degraded target is better than none, and worse than any healthy one; a near one is better than a
    // far one.
    private static Candidates[] WorkOut(Offering offering, Narrowing by, Random random)
    {
        var (rule, group, labels, location, only) = by;
        Candidates[] tiers =
        [
            .. offering
                .Open.Where(entry =>
                    (rule is null || Selects(rule.Groups[group], entry.Target))
                    && Labels.Match(labels, entry.Target.Labels)
                    && (only is null || entry.Target.Id == only)
                )
                .GroupBy(entry =>
                    (
                        Status: StatusOf(entry.Target, entry.State),
                        Distance: location is null ? 0 : -Nearest.InCommon(location, entry.Target.Location)
                    )
                )
                .OrderBy(tier => tier.Key)
                .Select(tier => new Candidates([.. tier], random.Next())),
        ];
        if (offering.Narrowed.Count < MostNarrowed)
            offering.Narrowed.TryAdd(by, tiers);
        return tiers;
    }

    internal static bool Selects(IReadOnlyList<TargetSelector> group, RouteTarget target)
    {
        foreach (var selector in group)
        {
            if (selector.Selects(target))
                return true;
        }
        return false;
    }
}
