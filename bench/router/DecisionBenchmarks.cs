using BenchmarkDotNet.Attributes;
using Galaxy.Core.Routing;

namespace Galaxy.Bench.Router;

/// <summary>One decision, by strategy. The goal is 2 us and 0 bytes over 1,000 candidates.</summary>
[MemoryDiagnoser]
[SimpleJob(warmupCount: 5, iterationCount: 12)]
public class DecisionBenchmarks
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    private RoutingTable _table = null!;
    private RouteQuery _query;
    private RouteQuery _labels;
    private Random _random = null!;

    [Params(1000)]
    public int Candidates { get; set; }

    /// <summary>Everybody has something to do and says the same of itself: no search ends early.</summary>
    [Params(false, true)]
    public bool AllBusy { get; set; }

    [Params("least_loaded", "round_robin", "random", "location", "adaptive", "sticky")]
    public string Strategy { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _random = new Random(1);
        var states = new Dictionary<string, TargetState>();
        var targets = Enumerable
            .Range(0, Candidates)
            .Select(i => new RouteTarget(
                $"node-{i:0000}",
                false,
                "external",
                "tools",
                $"http://10.0.{i / 250}.{i % 250}",
                TargetStatus.Healthy,
                AllBusy ? 0 : _random.NextDouble()
            )
            {
                Location = $"home/room-{i % 2}",
                Labels = new Dictionary<string, string> { ["gpu"] = i % 2 == 0 ? "true" : "false" },
                Capabilities = [new RouteCapability("echo")],
            });
        _table = RoutingTable.Build(
            targets,
            id =>
                states.TryGetValue(id, out var state)
                    ? state
                    : states[id] = new TargetState(id, BreakerOptions.Standard),
            [],
            Now
        );
        foreach (var state in states.Values)
        {
            state.Measured(_random.Next(1, 100), Now);
            for (var i = 0; AllBusy && i < 1 + _random.Next(3); i++)
                state.Begin();
        }
        _query = new RouteQuery("echo")
        {
            Strategy = RouteStrategies.Find(Strategy),
            Key = Strategy == "sticky" ? "a user's key" : null,
            Location = "home/room-1",
        };
        _labels = _query with { Labels = "gpu=true" };
    }

    [Benchmark(Baseline = true)]
    public RouteTarget? Choose() => _table.Choose(_query, _random, Now).Target;

    [Benchmark]
    public RouteTarget? ChooseByLabels() => _table.Choose(_labels, _random, Now).Target;
}
