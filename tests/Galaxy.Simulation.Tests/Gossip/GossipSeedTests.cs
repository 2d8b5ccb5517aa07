namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>Many seeds without a violation, and every deliberate bug found.</summary>
public class GossipSeedTests
{
    public static TheoryData<string> Bugs =>
        [.. Enum.GetNames<GossipBug>().Where(name => name != nameof(GossipBug.None))];

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
        Seeds.MustAllHold(500, seed => Run(seed, GossipBug.None));
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_found(string bug)
    {
        var kind = Enum.Parse<GossipBug>(bug);
        Seeds.MustFind(bug, 4000, seed => Run(seed, kind), seed => Run(seed, GossipBug.None));
    }
}
