using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

public class CandidateOrderTests
{
    private static readonly Candidate[] All =
    [
        new("d", false),
        new("s", true),
        new("c", false),
        new("b", false),
        new("a", false),
    ];

    private static TimeSpan Minutes(double minutes) => TimeSpan.FromMinutes(minutes);

    [Fact]
    public void The_primary_stands_first_then_the_secondaries_the_rest_by_name_and_standbys_last() =>
        Assert.Equal(["c", "d", "b", "a", "s"], CandidateOrder.Of(All, "c", ["d", "b"]));

    [Fact]
    public void A_standby_that_was_made_primary_stands_first() => Assert.Equal("s", CandidateOrder.Of(All, "s", [])[0]);

    [Fact]
    public void Whoever_keeps_losing_the_lease_stands_last_even_as_primary() =>
        Assert.Equal(["b", "a"], CandidateOrder.Of([new("a", false, Demoted: true), new("b", false)], "a", []));

    [Fact]
    public void Two_losses_are_bad_luck_and_each_further_one_doubles_the_penalty()
    {
        Assert.Null(FlapDamping.DemotedUntil([Minutes(1), Minutes(2)], Minutes(2)));
        Assert.Equal(Minutes(3.5), FlapDamping.DemotedUntil([Minutes(1), Minutes(2), Minutes(3)], Minutes(3)));
        Assert.Equal(
            Minutes(5),
            FlapDamping.DemotedUntil([Minutes(1), Minutes(2), Minutes(3), Minutes(4)], Minutes(4))
        );
    }

    [Fact]
    public void A_penalty_ends_and_old_losses_are_forgotten()
    {
        Assert.Null(FlapDamping.DemotedUntil([Minutes(1), Minutes(2), Minutes(3)], Minutes(4)));
        Assert.Null(FlapDamping.DemotedUntil([Minutes(1), Minutes(2), Minutes(30)], Minutes(30)));
    }
}
