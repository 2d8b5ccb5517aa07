using Galaxy.Core.Membership;

namespace Galaxy.Core.Tests.Membership;

public class MembershipTableTests
{
    private static readonly MembershipSettings Settings = new();

    private static Member Make(
        string id,
        ulong incarnation = 1,
        MemberState state = MemberState.Alive,
        string? boot = null,
        long startedAt = 1000
    ) =>
        new(
            id,
            boot ?? id + "-boot",
            incarnation,
            state,
            "coordinator",
            "http://" + id,
            "http://grpc-" + id,
            1,
            "1",
            startedAt
        );

    private static MembershipTable TableOf(string self, params Member[] others) =>
        Hear(MembershipTable.Create(Make(self), TimeSpan.Zero), others);

    private static MembershipTable Hear(MembershipTable table, params Member[] members) =>
        members.Aggregate(table, (heard, member) => heard.Merge(new Claim(member), TimeSpan.Zero));

    [Fact]
    public void A_peer_that_does_not_answer_is_suspected_first_and_dead_later()
    {
        var table = TableOf("a", Make("b")).Suspect("b", TimeSpan.FromSeconds(1));
        Assert.Equal(MemberState.Suspect, table.Find("b")!.State);

        var before = table.Tick(
            TimeSpan.FromSeconds(1) + Settings.SuspectAtLeast - TimeSpan.FromMilliseconds(1),
            Settings
        );
        var after = table.Tick(TimeSpan.FromSeconds(1) + Settings.SuspectAtLeast, Settings);

        Assert.Equal(MemberState.Suspect, before.Find("b")!.State);
        Assert.Equal(MemberState.Dead, after.Find("b")!.State);
    }

    [Fact]
    public void A_suspect_that_hears_of_it_refutes_with_a_higher_incarnation()
    {
        var table = TableOf("b").Merge(new Claim(Make("b", 1, MemberState.Suspect)), TimeSpan.Zero);

        Assert.Equal(MemberState.Alive, table.SelfMember.State);
        Assert.Equal(2UL, table.SelfMember.Incarnation);
    }

    [Fact]
    public void A_refutation_brings_a_suspect_back_to_life_elsewhere()
    {
        var table = TableOf("a", Make("b")).Suspect("b", TimeSpan.Zero).Merge(new Claim(Make("b", 2)), TimeSpan.Zero);

        Assert.Equal(MemberState.Alive, table.Find("b")!.State);
    }

    [Fact]
    public void Old_news_of_life_does_not_undo_a_suspicion()
    {
        var table = TableOf("a", Make("b")).Suspect("b", TimeSpan.Zero).Merge(new Claim(Make("b", 1)), TimeSpan.Zero);

        Assert.Equal(MemberState.Suspect, table.Find("b")!.State);
    }

    [Fact]
    public void A_restarted_node_is_alive_under_its_new_boot()
    {
        var table = TableOf("a", Make("b", 3)).Suspect("b", TimeSpan.Zero).Tick(Settings.SuspectAtLeast, Settings);
        Assert.Equal(MemberState.Dead, table.Find("b")!.State);
        // The new process hears the old claim and answers above it.
        var restarted = MembershipTable
            .Create(Make("b", 1, boot: "second", startedAt: 2000), TimeSpan.Zero)
            .Merge(new Claim(table.Find("b")!), TimeSpan.Zero);

        table = table.Merge(new Claim(restarted.SelfMember), TimeSpan.Zero);

        Assert.Equal((MemberState.Alive, "second"), (table.Find("b")!.State, table.Find("b")!.Boot));
    }

    [Fact]
    public void A_node_notices_that_an_older_process_has_its_name()
    {
        var table = MembershipTable
            .Create(Make("a", boot: "mine", startedAt: 2000), TimeSpan.Zero)
            .Merge(new Claim(Make("a", 5, boot: "other", startedAt: 1000)), TimeSpan.Zero);

        Assert.Equal(1, table.NameClaims);
    }

    [Fact]
    public void Of_two_namesakes_the_older_one_is_not_blamed()
    {
        var table = MembershipTable
            .Create(Make("a", boot: "mine", startedAt: 1000), TimeSpan.Zero)
            .Merge(new Claim(Make("a", 5, boot: "other", startedAt: 2000)), TimeSpan.Zero);

        Assert.Equal(0, table.NameClaims);
    }

    [Fact]
    public void The_long_dead_are_forgotten()
    {
        var table = TableOf("a", Make("b", 1, MemberState.Dead)).Tick(Settings.ForgetAfter, Settings);

        Assert.Null(table.Find("b"));
    }

    [Fact]
    public void Claims_in_any_order_lead_to_the_same_table()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var claims = Enumerable
                .Range(0, 12)
                .Select(_ => Make("n" + random.Next(3), (ulong)random.Next(1, 4), (MemberState)random.Next(4)))
                .ToArray();
            var shuffled = claims.ToArray();
            random.Shuffle(shuffled);

            var one = TableOf("self", claims);
            var other = TableOf("self", shuffled);

            Assert.Equal(one.All, other.All);
        }
    }
}
