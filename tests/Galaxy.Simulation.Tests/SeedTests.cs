namespace Galaxy.Simulation.Tests;

/// <summary>Many seeds without a violation, and every deliberate bug caught.</summary>
public class SeedTests
{
    private static readonly int MostSeedsForABug = Seeds.ForABug(2000);

    [Fact]
    public void Whatever_goes_wrong_the_invariants_hold()
    {
        var seeds = Seeds.Chosen(500);
        var failures = new System.Collections.Concurrent.ConcurrentBag<int>();
        Parallel.ForEach(seeds, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            if (Simulation.Run(Plan.Random(seed), Bug.None) is not null)
                failures.Add(seed);
        });
        if (!failures.IsEmpty)
            Assert.Fail(
                $"{failures.Count} of {seeds.Length} seeds fail. {Simulation.Explain(failures.Min(), Simulation.Run(Plan.Random(failures.Min()), Bug.None)!, Bug.None)}"
            );
    }

    [Fact]
    public void A_seed_repeats_exactly()
    {
        static string Story(int seed)
        {
            var lines = new List<string>();
            var world = new World(Plan.Random(seed), Bug.None);
            world.Log = line => lines.Add($"{world.Now} {line}");
            world.Run(Plan.Trouble);
            return string.Join('\n', lines);
        }

        for (var seed = 1; seed <= 20; seed++)
            Assert.Equal(Story(seed), Story(seed));
    }

    public static TheoryData<string> Bugs() =>
        [
            .. typeof(Bug)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(Bug)))
                .Select(type => type.Name)
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_caught(string name)
    {
        var bug = (Bug)Activator.CreateInstance(typeof(Bug).Assembly.GetTypes().Single(type => type.Name == name))!;
        for (var seed = 1; seed <= MostSeedsForABug; seed++)
        {
            if (
                Simulation.Run(Plan.Random(seed), bug) is { } wrong
                && Simulation.Run(Plan.Random(seed), Bug.None) is null
            )
            {
                TestContext.Current.SendDiagnosticMessage($"{name}: seed {seed}: {wrong}");
                return;
            }
        }
        Assert.Fail($"{MostSeedsForABug} seeds did not find the bug {name}.");
    }
}
