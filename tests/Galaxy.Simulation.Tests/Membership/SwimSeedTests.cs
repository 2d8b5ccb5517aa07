using Galaxy.Core.Membership;

namespace Galaxy.Simulation.Tests.Membership;

/// <summary>Many seeds without a violation, every deliberate bug found, and what many nodes do.</summary>
public class SwimSeedTests
{
    public static TheoryData<string> Bugs => [.. Enum.GetNames<SwimBug>().Where(name => name != nameof(SwimBug.None))];

    private static string? Run(int seed, SwimBug bug)
    {
        try
        {
            new SwimWorld(seed, bug).Run();
            return null;
        }
        catch (SwimViolationException violation)
        {
            return violation.Message;
        }
    }

    [Fact]
    public void Everybody_comes_to_know_who_lives_whatever_happened()
    {
        Seeds.MustAllHold(300, seed => Run(seed, SwimBug.None));
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_found(string bug)
    {
        var kind = Enum.Parse<SwimBug>(bug);
        Seeds.MustFind(bug, 500, seed => Run(seed, kind), seed => Run(seed, SwimBug.None));
    }

    /// <summary><c>GALAXY_NODES=1000</c> for the long run, several minutes: its cost grows with the square.</summary>
    [Fact]
    public void Many_nodes_with_a_tenth_of_all_messages_lost_bury_the_dead_and_nobody_else()
    {
        var world = new SwimWorld(1, SwimBug.None, Seeds.Nodes(200));
        foreach (var node in world.Nodes)
            world.Start(node);
        world.RunFor(TimeSpan.FromSeconds(150));
        world.MustAgree("two and a half minutes after the start");

        var before = world.Messages;
        world.RunFor(TimeSpan.FromSeconds(5));
        var perNode = (world.Messages - before) / 5.0 / world.Nodes.Count;
        // A ping and an ack: it does not grow with the cluster.
        Assert.InRange(perNode, 1.8, 2.2);

        world.Loss = 0.1;
        world.Forbidden = MemberState.Dead;
        world.RunFor(TimeSpan.FromSeconds(10));
        var took = world.KillAndMeasure(world.Nodes[world.Nodes.Count / 2]);
        TestContext.Current.SendDiagnosticMessage(
            $"{world.Nodes.Count} nodes; killed: known to all after {took.TotalSeconds:0.0} s; "
                + $"{perNode:0.0} messages a second and node"
        );
    }
}
