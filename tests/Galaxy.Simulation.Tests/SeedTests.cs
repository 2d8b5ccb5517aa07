using System.Globalization;

namespace Galaxy.Simulation.Tests;

/// <summary>
/// <c>GALAXY_SEEDS=10000</c> runs that many; <c>GALAXY_SEED=4711</c> replays one.
/// </summary>
public class SeedTests
{
    private const int MostSeedsForABug = 2000;

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    [Fact]
    public void Whatever_goes_wrong_the_invariants_hold()
    {
        var (first, count) = Setting("GALAXY_SEED") is { } one ? (one, 1) : (1, Setting("GALAXY_SEEDS") ?? 500);
        var failures = new System.Collections.Concurrent.ConcurrentBag<int>();
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            if (Simulation.Run(Plan.Random(seed), Bug.None) is not null)
                failures.Add(seed);
        });
        if (!failures.IsEmpty)
            Assert.Fail($"{failures.Count} of {count} seeds fail. {Simulation.Explain(failures.Min(), Simulation.Run(Plan.Random(failures.Min()), Bug.None)!, Bug.None)}");
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

    public static TheoryData<string> Bugs() => [.. typeof(Bug).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Bug))).Select(type => type.Name).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_caught(string name)
    {
        var bug = (Bug)Activator.CreateInstance(typeof(Bug).Assembly.GetTypes().Single(type => type.Name == name))!;
        for (var seed = 1; seed <= MostSeedsForABug; seed++)
        {
            if (Simulation.Run(Plan.Random(seed), bug) is { } wrong && Simulation.Run(Plan.Random(seed), Bug.None) is null)
            {
                TestContext.Current.SendDiagnosticMessage($"{name}: seed {seed}: {wrong}");
                return;
            }
        }
        Assert.Fail($"{MostSeedsForABug} seeds did not find the bug {name}.");
    }
}
