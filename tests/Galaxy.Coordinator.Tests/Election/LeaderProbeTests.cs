using Galaxy.Coordinator.Leadership;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;

namespace Galaxy.Coordinator.Tests.Election;

public class LeaderProbeTests
{
    private static readonly LeaseRecord Lease = new("a", "first", 7, "http://host:8071", "", AcquiredUnixMs: 1000);

    private static Member Make(string boot, string url, long startedAt) =>
        new("a", boot, 2, MemberState.Alive, "coordinator", url, "http://host:9071", 1, "1", startedAt);

    [Theory]
    [InlineData("second", "http://host:8071", 2000, true)]
    [InlineData("first", "http://host:8071", 500, false)]
    // It ran when the lease was acquired: gossip is behind.
    [InlineData("second", "http://host:8071", 500, false)]
    // A namesake somewhere else proves nothing.
    [InlineData("second", "http://elsewhere:8071", 2000, false)]
    public void Only_a_later_process_at_the_same_address_proves_that_the_leader_has_ended(
        string boot,
        string url,
        long startedAt,
        bool proves
    ) => Assert.Equal(proves, LeaderProbe.IsLater(Make(boot, url, startedAt), Lease));
}
