using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

/// <summary>When a leader counts as dead before its lease has run out.</summary>
public class ProvingTests
{
    private static readonly LeaseRecord Leader = Node.LeaseOf("a", 4);

    private static Node Follower(int coordinators = 3)
    {
        var node = new Node("b");
        node.Follow("a", 4, coordinators);
        return node;
    }

    [Fact]
    public void A_leader_that_hangs_up_is_called_again()
    {
        Assert.Equal(
            new ElectionEffect.Redial(Leader),
            Assert.Single(Follower().Feed(new ElectionInput.HungUp(Leader.Boot)))
        );
    }

    [Fact]
    public void With_three_coordinators_a_second_one_must_find_the_same()
    {
        var node = Follower();
        node.Feed(new ElectionInput.HungUp(Leader.Boot));

        Assert.Equal(
            new ElectionEffect.AskWitnesses(Leader),
            Assert.Single(node.Feed(new ElectionInput.Redialled(Leader.Boot, RedialOutcome.Gone)))
        );
        Assert.Empty(node.Tick());

        Assert.Equal(
            new ElectionEffect.LeaderChanged(null),
            Assert.Single(node.Feed(new ElectionInput.Witnessed(Leader.Boot, true)))
        );
        Assert.Equal(new ElectionEffect.Seize(Leader, 4), Assert.Single(node.Tick()));
    }

    [Fact]
    public void With_two_there_is_nobody_else_to_ask()
    {
        var node = Follower(coordinators: 2);
        node.Feed(new ElectionInput.HungUp(Leader.Boot));
        node.Feed(new ElectionInput.Redialled(Leader.Boot, RedialOutcome.Gone));

        Assert.Equal(new ElectionEffect.Seize(Leader, 4), Assert.Single(node.Tick()));
    }

    [Theory]
    [InlineData(RedialOutcome.Silent)]
    [InlineData(RedialOutcome.Alive)]
    public void Silence_and_life_prove_nothing(RedialOutcome outcome)
    {
        var node = Follower(coordinators: 2);
        node.Feed(new ElectionInput.HungUp(Leader.Boot));

        Assert.Empty(node.Feed(new ElectionInput.Redialled(Leader.Boot, outcome)));
        Assert.Null(node.State.StandAt);
        Assert.Equal(Leader, node.State.LivingLeader);
    }

    [Fact]
    public void Without_a_witness_the_lease_must_run_out()
    {
        var node = Follower();
        node.Feed(new ElectionInput.HungUp(Leader.Boot));
        node.Feed(new ElectionInput.Redialled(Leader.Boot, RedialOutcome.Gone));

        Assert.Empty(node.Feed(new ElectionInput.Witnessed(Leader.Boot, false)));
        Assert.Null(node.State.StandAt);
    }

    [Fact]
    public void A_dead_leader_has_no_place_before_its_successor()
    {
        var first = Follower(coordinators: 2);
        var second = new Node("c");
        second.Feed(new ElectionInput.Candidates(["a", "b", "c"], 2));
        second.Tick();
        second.Feed(new ElectionInput.LeaseRead(Leader, null));
        foreach (var node in new[] { first, second })
        {
            node.Feed(new ElectionInput.HungUp(Leader.Boot));
            node.Feed(new ElectionInput.Redialled(Leader.Boot, RedialOutcome.Gone));
        }

        Assert.Equal((0, 1), (first.State.Rank, second.State.Rank));
        Assert.Single(first.Tick());
        Assert.Empty(second.Tick());
    }

    [Fact]
    public void News_of_a_process_that_does_not_lead_is_no_news()
    {
        Assert.Empty(Follower().Feed(new ElectionInput.HungUp("somebody else's boot")));
    }

    [Fact]
    public void A_proof_ends_with_the_lease_that_it_was_about()
    {
        var node = Follower(coordinators: 2);
        node.Feed(new ElectionInput.HungUp(Leader.Boot));
        node.Feed(new ElectionInput.Redialled(Leader.Boot, RedialOutcome.Gone));

        // Somebody else was faster.
        node.Feed(new ElectionInput.LeaseRead(Node.LeaseOf("c", 5), null));

        Assert.Null(node.State.Proof);
        Assert.Null(node.State.StandAt);
    }
}
