using Galaxy.Core.Membership;

namespace Galaxy.Core.Tests.Membership;

public class SwimTests
{
    private static readonly MembershipSettings Settings = new();
    private static readonly TimeSpan Ms = TimeSpan.FromMilliseconds(1);

    private static Member Make(string id) =>
        new(id, id + "-boot", 1, MemberState.Alive, "coordinator", "http://" + id, "http://" + id, 1, "1", 1000);

    private static Swim NodeOf(string self, params string[] others)
    {
        var swim = new Swim(Make(self), Settings, new Random(1), TimeSpan.Zero);
        swim.Merge(others.Select(other => new Claim(Make(other))), TimeSpan.Zero);
        return swim;
    }

    private static List<(string To, T Message)> Sent<T>(IEnumerable<SwimEffect> effects)
        where T : SwimMessage =>
        [
            .. effects
                .OfType<SwimEffect.Send>()
                .Where(send => send.Message is T)
                .Select(send => (send.To, (T)send.Message)),
        ];

    /// <summary>The next probe by the clock.</summary>
    private static (string Target, SwimMessage.Ping Ping, TimeSpan At) NextProbe(Swim swim, TimeSpan from)
    {
        for (var now = from; now < from + TimeSpan.FromSeconds(60); now += 10 * Ms)
        {
            if (Sent<SwimMessage.Ping>(swim.Tick(now)) is [var (target, ping), ..])
                return (target, ping, now);
        }
        throw new InvalidOperationException("no probe");
    }

    [Fact]
    public void Everybody_is_probed_once_in_a_round()
    {
        var swim = NodeOf("a", "b", "c", "d", "e");
        var now = TimeSpan.Zero;
        for (var round = 0; round < 5; round++)
        {
            var targets = new List<string>();
            for (var i = 0; i < 4; i++)
            {
                var (target, ping, at) = NextProbe(swim, now);
                targets.Add(target);
                now = at + Ms;
                swim.Receive(target, new SwimMessage.Ack(ping.Number, []), now);
            }
            Assert.Equal(["b", "c", "d", "e"], targets.Order());
        }
    }

    [Fact]
    public void A_silent_member_is_asked_after_through_others_and_suspected_when_they_hear_nothing_either()
    {
        var swim = NodeOf("a", "b", "c", "d", "e");
        var (target, ping, at) = NextProbe(swim, TimeSpan.Zero);

        var effects = swim.Tick(at + Settings.ProbeTimeout);
        Assert.Contains(new SwimEffect.Silent(target), effects);
        var asked = Sent<SwimMessage.Ask>(effects);
        Assert.Equal(Settings.IndirectProbes, asked.Count);
        Assert.All(asked, ask => Assert.Equal((target, ping.Number), (ask.Message.Target, ask.Message.Number)));
        foreach (var (to, ask) in asked)
            swim.Receive(to, new SwimMessage.Nack(ask.Number, []), at + Settings.ProbeTimeout + Ms);
        swim.Tick(at + Settings.ProbeEvery);

        Assert.Equal(MemberState.Suspect, swim.Table.Find(target)!.State);
        // Everybody else hears this node well: it has no reason to doubt itself.
        Assert.Equal(0, swim.Health);
    }

    [Fact]
    public void A_member_that_others_reach_is_not_suspected()
    {
        var swim = NodeOf("a", "b", "c", "d", "e");
        var (target, ping, at) = NextProbe(swim, TimeSpan.Zero);
        var helper = Sent<SwimMessage.Ask>(swim.Tick(at + Settings.ProbeTimeout))[0];

        var effects = swim.Receive(helper.To, new SwimMessage.Ack(ping.Number, []), at + Settings.ProbeTimeout + Ms);
        swim.Tick(at + Settings.ProbeEvery);

        Assert.Contains(new SwimEffect.Answered(target, Directly: false), effects);
        Assert.Equal(MemberState.Alive, swim.Table.Find(target)!.State);
    }

    [Fact]
    public void Who_asks_for_another_is_answered_with_what_that_other_says_or_with_a_nack()
    {
        var helper = NodeOf("h", "a", "t");
        var ping = Assert.Single(
            Sent<SwimMessage.Ping>(helper.Receive("a", new SwimMessage.Ask(7, "t", []), TimeSpan.Zero)),
            send => send.To == "t"
        );
        var ack = Assert.Single(
            Sent<SwimMessage.Ack>(helper.Receive("t", new SwimMessage.Ack(ping.Message.Number, []), Ms))
        );
        Assert.Equal(("a", 7UL), (ack.To, ack.Message.Number));

        helper.Receive("a", new SwimMessage.Ask(8, "t", []), Ms);
        var nack = Assert.Single(Sent<SwimMessage.Nack>(helper.Tick(Settings.ProbeTimeout)));
        Assert.Equal(("a", 8UL), (nack.To, nack.Message.Number));
    }

    [Fact]
    public void A_suspect_hears_of_it_with_the_next_ping_and_refutes_in_its_answer()
    {
        var accuser = NodeOf("a", "b");
        accuser.Merge([new Claim(Make("b") with { State = MemberState.Suspect }, ["c"])], TimeSpan.Zero);
        var suspect = NodeOf("b", "a");
        var (_, ping, at) = NextProbe(accuser, TimeSpan.Zero);
        Assert.Contains(ping.Claims, claim => claim.Member is { NodeId: "b", State: MemberState.Suspect });

        var ack = Assert.Single(Sent<SwimMessage.Ack>(suspect.Receive("a", ping, at))).Message;
        accuser.Receive("b", ack, at + Ms);

        Assert.Equal((MemberState.Alive, 2UL), (accuser.Table.Find("b")!.State, accuser.Table.Find("b")!.Incarnation));
        // It had to defend itself: perhaps it is slow.
        Assert.Equal(1, suspect.Health);
    }

    [Fact]
    public void A_node_that_hears_from_nobody_doubts_itself_and_probes_less_often()
    {
        var swim = NodeOf("a", "b", "c", "d", "e");
        for (var now = TimeSpan.Zero; now < TimeSpan.FromSeconds(5); now += 10 * Ms)
            swim.Tick(now);
        Assert.InRange(swim.Health, 3, Settings.WorstHealth);

        var probes = 0;
        for (var now = TimeSpan.FromSeconds(5); now < TimeSpan.FromSeconds(15); now += 10 * Ms)
            probes += Sent<SwimMessage.Ping>(swim.Tick(now)).Count(ping => ping.To == "b");
        Assert.InRange(probes, 0, 4);
    }

    [Theory]
    [InlineData(5, 3, 0, 18.0)]
    [InlineData(5, 3, 1, 10.5)]
    [InlineData(5, 3, 2, 6.1)]
    [InlineData(5, 3, 3, 3.0)]
    [InlineData(5, 3, 9, 3.0)]
    [InlineData(2, 0, 0, 3.0)]
    [InlineData(1000, 900, 3, 9.0)]
    public void A_suspicion_is_the_shorter_the_more_agree(int members, int others, int confirmations, double seconds) =>
        Assert.Equal(seconds, Settings.SuspectFor(members, others, confirmations).TotalSeconds, 0.05);

    [Fact]
    public void Three_accusers_more_bury_a_suspect_after_three_seconds_and_one_alone_after_eighteen()
    {
        foreach (var (accusers, seconds) in new[] { (new[] { "b" }, 18), (["b", "c", "d", "e"], 3) })
        {
            var swim = NodeOf("a", "b", "c", "d", "e", "x");
            swim.Merge([new Claim(Make("x") with { State = MemberState.Suspect }, [.. accusers])], TimeSpan.Zero);

            var table = swim.Table.Tick(TimeSpan.FromSeconds(seconds) - Ms, Settings);
            Assert.Equal(MemberState.Suspect, table.Find("x")!.State);
            Assert.Equal(MemberState.Dead, table.Tick(TimeSpan.FromSeconds(seconds), Settings).Find("x")!.State);
        }
    }

    [Fact]
    public void News_is_told_a_few_times_and_then_no_more()
    {
        var table = NodeOf("a", "b", "c", "d").Table;
        var queue = new ClaimQueue(Settings);
        queue.Add("b");
        var told = 0;
        while (queue.Count > 0)
            told += queue.Take(table, "c").Count;

        Assert.Equal((int)Math.Ceiling(Settings.TellFactor * Math.Log10(5)), told);
        Assert.Empty(queue.Take(table, "c"));
    }

    [Fact]
    public void A_leader_whose_lease_is_late_is_probed_at_once_and_once()
    {
        var swim = NodeOf("a", "b", "c");
        Assert.Equal("c", Assert.Single(Sent<SwimMessage.Ping>(swim.ProbeNow("c", TimeSpan.Zero))).To);
        Assert.Empty(swim.ProbeNow("c", Ms));
        Assert.Empty(swim.ProbeNow("a", Ms));
        Assert.Empty(swim.ProbeNow("nobody", Ms));
    }
}
