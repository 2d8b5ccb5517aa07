using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

public class ElectionTests
{
    private static readonly TimeSpan Ttl = LeaseSettings.Lan.Ttl;
    private static readonly TimeSpan Guard = LeaseSettings.Lan.Guard;

    [Fact]
    public void A_node_begins_by_asking_the_store_who_leads()
    {
        var node = new Node("a");

        Assert.IsType<ElectionEffect.ReadLease>(Assert.Single(node.Tick()));
    }

    [Fact]
    public void It_does_not_ask_again_while_an_answer_is_awaited()
    {
        var node = new Node("a");
        node.Tick();
        node.Now += TimeSpan.FromMilliseconds(1);

        Assert.Empty(node.Tick());
    }

    [Fact]
    public void With_no_lease_the_first_candidate_stands_at_once()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));

        Assert.IsType<ElectionEffect.Acquire>(Assert.Single(node.Tick()));
    }

    [Fact]
    public void A_candidate_of_lower_rank_waits_for_the_better_one()
    {
        var node = new Node("b");
        node.Ranked(2);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));

        Assert.Empty(node.Tick());
        Assert.InRange(node.State.StandAt!.Value, node.Settings.RankStep * 1.6, node.Settings.RankStep * 2.4);
    }

    [Fact]
    public void A_node_that_may_not_stand_never_does()
    {
        var node = new Node("standby");
        node.Ranked(null);
        for (var i = 0; i < 100; i++)
        {
            foreach (var effect in node.Tick())
                Assert.IsType<ElectionEffect.ReadLease>(effect);
            node.Feed(new ElectionInput.LeaseRead(null, null));
            node.Now += node.Settings.ReadEvery;
        }
        Assert.Equal(ElectionRole.Follower, node.State.Role);
    }

    [Fact]
    public void A_leader_renews_three_times_within_its_lease()
    {
        var node = new Node("a").Elected(1);
        node.Now += Ttl / 3;

        Assert.Equal(new ElectionEffect.Renew(node.Lease(1)), Assert.Single(node.Tick()));
    }

    [Fact]
    public void A_leader_that_cannot_renew_steps_down_before_its_lease_ends()
    {
        var node = new Node("a").Elected(1);
        node.Now = Ttl - Guard - TimeSpan.FromMilliseconds(1);
        Assert.True(node.Leads);

        node.Now = Ttl - Guard;

        Assert.False(node.Leads);
        Assert.Contains(new ElectionEffect.SteppedDown(1, "guard"), node.Tick());
    }

    [Fact]
    public void A_lease_is_counted_from_the_moment_before_the_request_was_sent()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));
        node.Tick();
        var sentAt = node.Now;
        node.Now += TimeSpan.FromMilliseconds(900);

        node.Feed(new ElectionInput.Acquired(node.Lease(1), sentAt));

        Assert.Equal(sentAt + Ttl - Guard, node.State.LeadUntil);
    }

    [Fact]
    public void A_lease_whose_answer_came_too_late_is_not_used()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));
        node.Tick();
        node.Now += Ttl;

        node.Feed(new ElectionInput.Acquired(node.Lease(1), TimeSpan.Zero));

        Assert.False(node.Leads);
        Assert.NotEqual(ElectionRole.Leader, node.State.Role);
    }

    [Fact]
    public void A_token_that_is_not_above_every_seen_one_makes_no_leader()
    {
        var node = new Node("a");
        node.Feed(new ElectionInput.TokenSeen(7));
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));
        Assert.Equal(new ElectionEffect.Acquire(7), Assert.Single(node.Tick()));

        node.Feed(new ElectionInput.Acquired(node.Lease(7), node.Now));

        Assert.False(node.Leads);
    }

    [Fact]
    public void A_refused_renewal_ends_leadership_at_once()
    {
        var node = new Node("a").Elected(3);
        node.Now += Ttl / 3;
        node.Tick();

        var effects = node.Feed(new ElectionInput.RenewRefused(3));

        Assert.Contains(new ElectionEffect.SteppedDown(3, "lost"), effects);
        Assert.False(node.Leads);
    }

    [Fact]
    public void A_refused_write_ends_leadership_at_once()
    {
        var node = new Node("a").Elected(3);

        Assert.Contains(new ElectionEffect.SteppedDown(3, "stale"), node.Feed(new ElectionInput.WriteWasStale(3)));
        Assert.False(node.Leads);
    }

    [Fact]
    public void A_late_refusal_of_an_older_token_does_not_end_a_new_lease()
    {
        var node = new Node("a").Elected(5);

        node.Feed(new ElectionInput.WriteWasStale(3));
        node.Feed(new ElectionInput.RenewRefused(4));

        Assert.True(node.Leads);
    }

    [Fact]
    public void A_store_that_fails_does_not_end_a_lease_that_is_still_valid()
    {
        var node = new Node("a").Elected(1);
        node.Now += Ttl / 3;
        node.Tick();

        node.Feed(new ElectionInput.StoreFailed());

        Assert.True(node.Leads);
    }

    [Fact]
    public void A_leader_that_resigns_stops_acting_before_the_store_knows()
    {
        var node = new Node("a").Elected(1);

        var effects = node.Feed(new ElectionInput.Resign("b"));

        Assert.Equal(new ElectionEffect.Release(1, "b"), Assert.Single(effects));
        Assert.False(node.Leads);
        Assert.Contains(new ElectionEffect.SteppedDown(1, "resigned"), node.Feed(new ElectionInput.Released()));
    }

    [Fact]
    public void A_lease_that_is_reserved_is_left_to_its_successor()
    {
        var other = new Node("c");
        other.Ranked(0);
        other.Tick();
        other.Feed(new ElectionInput.LeaseRead(null, "b"));
        var successor = new Node("b");
        successor.Ranked(2);
        successor.Tick();
        successor.Feed(new ElectionInput.LeaseRead(null, "b"));

        Assert.Empty(other.Tick());
        Assert.IsType<ElectionEffect.Acquire>(Assert.Single(successor.Tick()));
    }

    [Fact]
    public void A_restarted_node_does_not_take_up_the_lease_of_its_former_process()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();

        node.Feed(new ElectionInput.LeaseRead(new LeaseRecord("a", "older boot", 4, "http://a", "", 0), null));

        Assert.False(node.Leads);
        Assert.Equal(4, node.State.MaxToken);
        Assert.Null(node.State.StandAt);
    }

    [Fact]
    public void A_node_that_died_while_leading_lets_the_others_go_first()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(new LeaseRecord("a", "older boot", 4, "http://a", "", 0), null));
        node.Now += node.Settings.ReadEvery;
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));

        Assert.Equal(node.Now + node.Settings.ComebackWait, node.State.StandAt);
    }

    [Fact]
    public void A_follower_tells_of_a_new_leader_once()
    {
        var node = new Node("a");
        node.Tick();
        var first = node.Feed(new ElectionInput.LeaseRead(Node.LeaseOf("b", 2), null));
        node.Now += node.Settings.ReadEvery;
        node.Tick();
        var second = node.Feed(new ElectionInput.LeaseRead(Node.LeaseOf("b", 2), null));

        Assert.Equal(new ElectionEffect.LeaderChanged(Node.LeaseOf("b", 2)), Assert.Single(first));
        Assert.Empty(second);
    }

    [Fact]
    public void The_answer_counts_though_gossip_told_of_the_token_first()
    {
        var node = new Node("a");
        node.Ranked(0);
        node.Tick();
        node.Feed(new ElectionInput.LeaseRead(null, null));
        node.Tick();

        // A follower read the lease, and its gossip was faster than the store's answer.
        node.Feed(new ElectionInput.TokenSeen(1));
        node.Feed(new ElectionInput.Acquired(node.Lease(1), node.Now));

        Assert.True(node.Leads);
    }

    [Fact]
    public void An_offered_lease_is_taken_without_reading_first()
    {
        var node = new Node("b");
        node.Follow("a", 4);

        node.Feed(new ElectionInput.Offered(4, "b"));

        Assert.Equal(new ElectionEffect.Acquire(4), Assert.Single(node.Tick()));
    }

    [Fact]
    public void An_offer_that_is_older_than_the_present_lease_is_an_echo()
    {
        var node = new Node("b");
        node.Follow("a", 4);

        Assert.Empty(node.Feed(new ElectionInput.Offered(3, "b")));
        Assert.Null(node.State.StandAt);
    }
}
