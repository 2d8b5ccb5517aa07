using Galaxy.Core.Failover;

namespace Galaxy.Core.Tests.Failover;

public class RecoveryPlanTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static IReadOnlyList<RecoveryAct> Next(
        TimeSpan? aliveFor,
        bool recovery = true,
        bool failback = false,
        string primary = "a"
    ) => RecoveryPlan.Next([new FailedNodeView("a", aliveFor)], "b", primary, recovery, failback, Minute);

    [Fact]
    public void A_failed_node_rejoins_after_it_has_been_alive_for_the_whole_timeout()
    {
        Assert.Empty(Next(null));
        Assert.Empty(Next(Minute / 2));
        Assert.Equal(new RecoveryAct.Rejoin("a"), Assert.Single(Next(Minute)));
    }

    [Fact]
    public void With_failback_the_primary_gets_the_lead_back_and_others_only_rejoin()
    {
        Assert.Equal(new RecoveryAct.FailBack("a"), Assert.Single(Next(Minute, failback: true)));
        Assert.Equal(new RecoveryAct.Rejoin("a"), Assert.Single(Next(Minute, failback: true, primary: "c")));
    }

    [Fact]
    public void A_standby_gives_leadership_back_to_the_first_coordinator_that_has_been_well_long_enough()
    {
        IReadOnlyList<RecoveryAct> Give(params FailedNodeView[] coordinators) =>
            RecoveryPlan.Next([], "standby", null, true, false, Minute, coordinators);

        Assert.Empty(Give(new("a", null), new("b", Minute / 2)));
        Assert.Equal(
            new RecoveryAct.FailBack("b"),
            Assert.Single(Give(new("a", Minute / 2), new("b", Minute), new("c", Minute)))
        );
        Assert.Empty(RecoveryPlan.Next([], "coordinator", null, true, false, Minute));
    }

    [Fact]
    public void Without_recovery_it_stays_on_record() => Assert.Empty(Next(Minute, recovery: false));
}
