namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>Many seeds without a violation, and every deliberate bug found.</summary>
public class GossipSeedTests
{
    private static readonly int MostSeedsForABug = Seeds.ForABug(4000);

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
        var failures = Seeds.Chosen(500).AsParallel().Select(seed => (Seed: seed, Problem: Run(seed, GossipBug.None))).Where(run => run.Problem is not null).OrderBy(run => run.Seed).ToList();

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
