using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

public class LeaseQuorumTests
{
    private static LeaseReading Held(string by, long token) => new(Node.LeaseOf(by, token), null, token);

    private static LeaseReading Free(long highest) => new(null, null, highest);

    [Theory]
    [InlineData(1, new[] { 1 }, Verdict.Yes)]
    [InlineData(1, new[] { 0 }, Verdict.No)]
    [InlineData(1, new[] { -1 }, Verdict.Unreachable)]
    [InlineData(3, new[] { 1 }, Verdict.Open)]
    [InlineData(3, new[] { 1, 1 }, Verdict.Yes)]
    [InlineData(3, new[] { 1, 0 }, Verdict.Open)]
    [InlineData(3, new[] { 0, 0 }, Verdict.No)]
    [InlineData(3, new[] { 1, -1, -1 }, Verdict.Unreachable)]
    [InlineData(3, new[] { 1, 0, -1 }, Verdict.No)]
    [InlineData(5, new[] { 1, 1, 0, 0 }, Verdict.Open)]
    [InlineData(5, new[] { -1, -1, -1 }, Verdict.Unreachable)]
    public void A_round_ends_as_soon_as_its_outcome_is_certain(int stores, int[] answers, Verdict expected) =>
        Assert.Equal(
            expected,
            LeaseQuorum.Count(answers.Select(answer => answer < 0 ? (bool?)null : answer == 1), stores)
        );

    [Fact]
    public void A_lease_counts_as_held_while_a_majority_may_hold_it()
    {
        Assert.Equal("a", LeaseQuorum.Join([Held("a", 3), Free(2)], 3).Lease?.Holder);
        Assert.Null(LeaseQuorum.Join([Held("a", 3), Free(2), Free(2)], 3).Lease);
    }

    [Fact]
    public void The_next_token_is_above_all_that_any_store_knows_though_its_lease_was_a_failed_attempt() =>
        Assert.Equal(8, LeaseQuorum.NextToken(LeaseQuorum.Join([Held("a", 7), Free(2), Free(2)], 3), minToken: 5));
}
