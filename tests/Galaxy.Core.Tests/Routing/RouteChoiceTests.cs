using CsCheck;
using Galaxy.Core.Routing;

namespace Galaxy.Core.Tests.Routing;

public class RouteChoiceTests
{
    private readonly Fleet _fleet = new();

    private static RouteQuery Echo => new("echo");

    private static RouteQuery By(string strategy) => Echo with { Strategy = RouteStrategies.Find(strategy) };

    [Fact]
    public void Nobody_is_chosen_for_what_nobody_offers()
    {
        _fleet.With("a");

        Assert.Null(_fleet.Choose(new RouteQuery("paint")));
    }

    [Fact]
    public void The_least_loaded_counts_what_we_have_there_ourselves_and_equals_take_turns()
    {
        _fleet.With("a", 0.1).With("b", 0.1).With("c", 0.5);
        Assert.InRange(_fleet.Count(Echo, 1000)["a"], 300, 700);

        for (var i = 0; i < 3; i++)
            _fleet.State("a").Begin();
        Assert.Equal(1000, _fleet.Count(Echo, 1000)["b"]);
    }

    [Fact]
    public void Round_robin_gives_everybody_the_same_and_skips_who_is_excluded()
    {
        _fleet.With("a").With("b").With("c");

        Assert.All(_fleet.Count(By("round_robin"), 300).Values, times => Assert.Equal(100, times));
        var without = _fleet.Count(By("round_robin") with { Exclude = ["b"] }, 300);
        Assert.Equal(["a", "c"], without.Keys.Order());
        Assert.Null(_fleet.Choose(By("round_robin") with { Exclude = ["a", "b", "c"] }));
    }

    [Fact]
    public void Random_gives_everybody_about_the_same()
    {
        _fleet.With("a").With("b").With("c").With("d");

        Assert.All(_fleet.Count(By("random"), 4000).Values, times => Assert.InRange(times, 850, 1150));
        Assert.All(_fleet.Count(By("random") with { Exclude = ["b", "nobody", "b"] }, 3000).Values, times =>
            Assert.InRange(times, 850, 1150)
        );
    }

    [Fact]
    public void Location_takes_the_nearest_and_of_those_the_least_loaded()
    {
        _fleet
            .With("attic", 0.9, location: "home/attic")
            .With("desk", 0.3, location: "home/desk")
            .With("desk-2", 0.1, location: "home/desk")
            .With("cloud", 0, location: "cloud/eu");

        Assert.Equal("attic", _fleet.Choose(By("location") with { Location = "home/attic" }));
        Assert.Equal("desk-2", _fleet.Choose(By("location") with { Location = "home/desk/left" }));
        Assert.Equal("desk-2", _fleet.Choose(By("location") with { Location = "home/cellar" }));
        Assert.Equal("cloud", _fleet.Choose(By("location") with { Location = "nowhere" }));
        Assert.Equal("cloud", _fleet.Choose(By("location")));
    }

    [Fact]
    public void Adaptive_prefers_the_quick_and_tries_the_slow_again_when_what_it_knows_is_old()
    {
        _fleet.With("quick").With("slow");
        _fleet.State("quick").Measured(5, _fleet.Now);
        _fleet.State("slow").Measured(200, _fleet.Now);
        Assert.Equal(1000, _fleet.Count(By("adaptive"), 1000)["quick"]);

        // Twice as many there as its speed outweighs.
        for (var i = 0; i < 80; i++)
            _fleet.State("quick").Begin();
        Assert.Equal(1000, _fleet.Count(By("adaptive"), 1000)["slow"]);
        for (var i = 0; i < 80; i++)
            _fleet.State("quick").End();

        _fleet.Now += TimeSpan.FromSeconds(60);
        _fleet.State("quick").Measured(5, _fleet.Now);
        Assert.Equal(1000, _fleet.Count(By("adaptive"), 1000)["slow"]);
    }

    [Fact]
    public void Adaptive_never_takes_the_worst_of_many()
    {
        for (var i = 0; i < 20; i++)
        {
            _fleet.With($"t{i}");
            _fleet.State($"t{i}").Measured(10 + i, _fleet.Now);
        }

        var counts = _fleet.Count(By("adaptive"), 20_000);
        Assert.False(counts.ContainsKey("t19"));
        // The best of two out of twenty: the best has 39 chances in 400 a side.
        Assert.InRange(counts["t0"], 1700, 2300);
    }

    [Fact]
    public void A_key_stays_where_it_is_and_only_the_keys_of_a_target_that_goes_move() =>
        Gen.Int[2, 30]
            .Select(Gen.Int[0, 29], Gen.Int)
            .Sample(
                (size, which, seed) =>
                {
                    var fleet = new Fleet();
                    for (var i = 0; i < size; i++)
                        fleet.With($"node-{seed}-{i}");
                    var keys = Enumerable.Range(0, 200).Select(i => $"key {i}").ToList();
                    var before = keys.ToDictionary(key => key, key => fleet.Choose(Echo with { Key = key }));
                    var gone = $"node-{seed}-{which % size}";

                    fleet.Without(gone);

                    foreach (var key in keys.Where(key => before[key] != gone))
                        Assert.Equal(before[key], fleet.Choose(Echo with { Key = key }));
                    fleet.With(gone, load: 0.9);
                    Assert.All(keys, key =>
                        Assert.Equal(
                            before[key],
                            fleet.Choose(Echo with { Key = key, Strategy = RouteStrategies.Find("random") })
                        )
                    );
                },
                iter: 30
            );

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(100)]
    public void Keys_spread_evenly(int count)
    {
        const int KeysEach = 1000;
        for (var i = 0; i < count; i++)
            _fleet.With($"node-{i}");
        var table = _fleet.Table();

        var counts = Enumerable
            .Range(0, count * KeysEach)
            .Select(i => table.Choose(Echo with { Key = $"user-{i}" }, _fleet.Random, _fleet.Now).Target!.Id)
            .CountBy(id => id)
            .Select(pair => pair.Value)
            .ToList();
        Assert.Equal(count, counts.Count);
        // By chance alone each would be within 4.5 standard deviations (the square root of 1,000).
        Assert.All(counts, times => Assert.InRange(times, KeysEach - 143, KeysEach + 143));
    }

    [Fact]
    public void The_degraded_are_taken_only_where_nobody_is_healthy_and_others_never()
    {
        _fleet
            .With("ill", status: TargetStatus.Degraded)
            .With("well", 0.9)
            .With("gone", status: TargetStatus.Unhealthy)
            .With("odd", status: TargetStatus.Unknown);
        Assert.Equal("well", _fleet.Choose(Echo));
        Assert.Equal("ill", _fleet.Without("well").Choose(Echo));
        Assert.Null(_fleet.Without("ill").Choose(Echo));

        var why = _fleet.With("ill", status: TargetStatus.Degraded).With("well").Explain(Echo);
        Assert.Equal("well", Assert.Single(why.Candidates).Id);
        Assert.Equal(
            ["gone: it does not answer", "ill: it is degraded, and others are healthy", "odd: its state is not known"],
            why.Excluded.Select(one => $"{one.Id}: {one.Reason}").Order()
        );
    }

    [Fact]
    public void Labels_must_all_be_there()
    {
        _fleet.With("a", labels: "gpu=true,room=attic").With("b", labels: "gpu=true").With("c");

        Assert.Equal(["a", "b"], _fleet.Count(By("random") with { Labels = "gpu=true" }, 100).Keys.Order());
        Assert.Equal("a", _fleet.Choose(Echo with { Labels = "room=attic, gpu" }));
        Assert.Null(_fleet.Choose(Echo with { Labels = "gpu=false" }));
        Assert.Contains("a label without a name", Labels.Complaint("=x"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_decision_and_its_explanation_are_the_same() =>
        Gen.Int.Sample(
            seed =>
            {
                var random = new Random(seed);
                var fleet = new Fleet();
                for (var i = 0; i < random.Next(1, 12); i++)
                {
                    fleet.With(
                        $"t{i}",
                        Math.Round(random.NextDouble(), 2),
                        (TargetStatus)random.Next(4),
                        random.Next(2) == 0 ? "home/attic" : "cloud",
                        random.Next(2) == 0 ? "gpu=1" : "",
                        device: random.Next(2) == 0
                    );
                    if (random.Next(4) == 0)
                        fleet.Fail($"t{i}", 5);
                }
                if (random.Next(2) == 0)
                    fleet.Rules.Add(
                        new RouteRule("r")
                        {
                            Groups =
                            [
                                [new TargetSelector("t1*")],
                                [new TargetSelector("kind:device"), new TargetSelector("label:gpu=1")],
                            ],
                        }
                    );
                var query = Echo with
                {
                    Strategy = RouteStrategies.All[random.Next(RouteStrategies.All.Count)],
                    Labels = random.Next(2) == 0 ? "gpu=1" : null,
                    Location = random.Next(2) == 0 ? "home/desk" : null,
                    Exclude = random.Next(2) == 0 ? ["t0"] : null,
                    Key = random.Next(3) == 0 ? "key" : null,
                };

                var why = fleet.Explain(query);

                Assert.Equal(why.Candidates.Count > 0, why.Chosen is not null);
                if (why.Chosen is { } chosen)
                    Assert.Contains(chosen.Id, why.Candidates.Select(one => one.Id));
                if (why.Strategy is "least_loaded" or "sticky" or "location" && why.Candidates.Count > 0)
                    Assert.Equal(
                        why.Candidates[0].Score,
                        why.Candidates.Single(one => one.Id == why.Chosen!.Id).Score,
                        4
                    );
                // Everybody is told of once.
                Assert.Equal(
                    fleet.Table().Targets.Select(target => target.Id).Order(),
                    why.Candidates.Select(one => one.Id).Concat(why.Excluded.Select(one => one.Id)).Order()
                );
            },
            iter: 2000
        );
}
