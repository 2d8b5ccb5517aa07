using System.Globalization;

namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>
/// Many seeds without a violation, and every deliberate bug found. <c>GALAXY_SEEDS=10000</c> for the long run,
/// <c>GALAXY_SEED=n</c> replays one.
/// </summary>
public class GossipSeedTests
{
    private const int MostSeedsForABug = 2000;

    private static int Number(string name, int fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;

    public static TheoryData<string> Bugs => [.. Enum.GetNames<GossipBug>().Where(name => name != nameof(GossipBug.None))];

    private static string? Run(int seed, GossipBug bug)
    {
        try
        {
            new GossipWorld(seed, bug).Run();
            return null;
        }
        catch (GossipViolationException violation)
        {
            return violation.Message;
        }
    }

    [Fact]
    public void Replicas_agree_and_lose_nothing_whatever_happens()
    {
        var single = Number("GALAXY_SEED", -1);
        var seeds = single >= 0 ? [single] : Enumerable.Range(0, Number("GALAXY_SEEDS", 500)).ToArray();
        var failures = seeds.AsParallel().Select(seed => (Seed: seed, Problem: Run(seed, GossipBug.None))).Where(run => run.Problem is not null).OrderBy(run => run.Seed).ToList();

        Assert.True(failures.Count == 0, failures.Count == 0 ? "" : $"{failures.Count} seeds fail. GALAXY_SEED={failures[0].Seed} replays:\n{failures[0].Problem}");
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_found(string bug)
    {
        var kind = Enum.Parse<GossipBug>(bug);
        var found = Enumerable.Range(0, MostSeedsForABug).FirstOrDefault(seed => Run(seed, kind) is not null && Run(seed, GossipBug.None) is null, -1);

        Assert.True(found >= 0, $"{bug} was not found in {MostSeedsForABug} seeds");
        TestContext.Current.SendDiagnosticMessage($"{bug}: seed {found}");
    }
}
