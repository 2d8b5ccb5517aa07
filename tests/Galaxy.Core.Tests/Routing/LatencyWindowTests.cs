using Galaxy.Core.Routing;

namespace Galaxy.Core.Tests.Routing;

public class LatencyWindowTests
{
    [Fact]
    public void The_p95_is_known_after_twenty_and_follows_what_changes()
    {
        var window = new LatencyWindow();
        for (var i = 0; i < 19; i++)
            window.Add(10);
        Assert.Null(window.P95);
        window.Add(10);
        Assert.Equal(10, window.P95);

        for (var i = 1; i <= 128; i++)
            window.Add(i);
        Assert.InRange(window.P95!.Value, 115, 128);
    }

    [Fact]
    public void Additional_requests_are_a_share_of_the_ordinary_ones_and_a_few_each_second()
    {
        var budget = new ExtraBudget(share: 0.125, perSecond: 2);
        var now = TimeSpan.FromSeconds(1);
        while (budget.TrySpend(now)) { }

        var sent = 0;
        for (var i = 0; i < 1000; i++)
        {
            budget.Earn();
            sent += budget.TrySpend(now) ? 1 : 0;
        }
        Assert.Equal(125, sent);
        now += TimeSpan.FromSeconds(2.5);
        Assert.True(
            budget.TrySpend(now)
                && budget.TrySpend(now)
                && budget.TrySpend(now)
                && budget.TrySpend(now)
                && budget.TrySpend(now)
        );
        Assert.False(budget.TrySpend(now));
    }
}
