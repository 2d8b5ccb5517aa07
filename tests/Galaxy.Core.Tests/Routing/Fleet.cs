using Galaxy.Core.Routing;

namespace Galaxy.Core.Tests.Routing;

/// <summary>Targets and their states, and the table that they make.</summary>
internal sealed class Fleet
{
    private readonly Dictionary<string, TargetState> _states = [];
    private readonly List<RouteTarget> _targets = [];

    public Random Random { get; } = new(7);

    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    public List<RouteRule> Rules { get; } = [];

    public TargetState State(string id) =>
        _states.TryGetValue(id, out var state) ? state : _states[id] = new TargetState(id, BreakerOptions.Standard);

    public Fleet With(
        string id,
        double load = 0,
        TargetStatus status = TargetStatus.Healthy,
        string location = "",
        string labels = "",
        string capability = "echo",
        bool device = false
    )
    {
        _targets.RemoveAll(target => target.Id == id);
        _targets.Add(
            new RouteTarget(
                id,
                device,
                device ? "android" : "external",
                device ? "physical" : "tools",
                device ? "" : $"http://{id}",
                status,
                load
            )
            {
                Location = location,
                Labels = labels
                    .Split(',', StringSplitOptions.RemoveEmptyEntries)
                    .Select(label => label.Split('='))
                    .ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? ""),
                Capabilities = [new RouteCapability(capability)],
            }
        );
        return this;
    }

    public Fleet Without(string id)
    {
        _targets.RemoveAll(target => target.Id == id);
        return this;
    }

    public RoutingTable Table() => RoutingTable.Build(_targets, State, Rules, Now);

    public string? Choose(RouteQuery query) => Table().Choose(query, Random, Now).Target?.Id;

    public Dictionary<string, int> Count(RouteQuery query, int times)
    {
        var table = Table();
        return Enumerable
            .Range(0, times)
            .Select(_ => table.Choose(query, Random, Now).Target?.Id ?? "nobody")
            .CountBy(id => id)
            .ToDictionary();
    }

    public RouteExplanation Explain(RouteQuery query) => RouteExplanation.Of(Table(), query, Random, Now);

    public void Fail(string id, int times)
    {
        for (var i = 0; i < times; i++)
            State(id).Breaker.Tell(failed: true, Now, mayOpen: true);
    }
}
