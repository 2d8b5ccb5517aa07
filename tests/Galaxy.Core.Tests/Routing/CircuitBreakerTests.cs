using Galaxy.Core.Routing;

namespace Galaxy.Core.Tests.Routing;

public class CircuitBreakerTests
{
    private readonly CircuitBreaker _breaker = new(BreakerOptions.Standard);
    private readonly Random _random = new(3);
    private TimeSpan _now = TimeSpan.FromHours(1);

    private bool Fail(int times = 1)
    {
        var changed = false;
        for (var i = 0; i < times; i++)
            changed = _breaker.Tell(failed: true, _now, mayOpen: true);
        return changed;
    }

    private bool Admits(bool willTell = true) => _breaker.Admits(_now, willTell, _random);

    [Fact]
    public void Five_failures_in_a_row_open_it_and_a_success_between_them_does_not()
    {
        Assert.False(Fail(4));
        _breaker.Tell(failed: false, _now, mayOpen: true);
        Assert.False(Fail(4));
        Assert.True(Fail());

        Assert.Equal(BreakerState.Open, _breaker.StateAt(_now));
        Assert.False(Admits());
    }

    [Fact]
    public void Half_of_the_last_twenty_opens_it_as_well()
    {
        for (var i = 0; i < 19; i++)
            Assert.False(_breaker.Tell(failed: i % 2 == 0, _now, mayOpen: true));

        Assert.False(_breaker.Tell(failed: false, _now, mayOpen: true));
        Assert.True(Fail());
    }

    [Fact]
    public void It_stays_closed_while_too_many_others_are_open()
    {
        for (var i = 0; i < 50; i++)
            Assert.False(_breaker.Tell(failed: true, _now, mayOpen: false));
        Assert.True(Fail());
    }

    [Fact]
    public void One_request_tries_after_the_pause_and_the_pause_doubles_when_it_fails()
    {
        Fail(5);
        foreach (var seconds in (int[])[10, 20, 40, 80, 160, 300, 300])
        {
            _now += TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1);
            Assert.False(Admits());
            _now += TimeSpan.FromTicks(1);
            Assert.False(Admits(willTell: false));
            Assert.True(Admits());
            Assert.False(Admits());
            Assert.True(Fail());
        }
    }

    [Fact]
    public void A_trial_that_was_given_up_leaves_room_for_another()
    {
        Fail(5);
        _now += TimeSpan.FromSeconds(10);
        Assert.True(Admits());
        _breaker.NeverMind();
        Assert.True(Admits());
        _now += TimeSpan.FromMinutes(1);
        Assert.True(Admits());
    }

    [Fact]
    public void Who_comes_back_gets_its_share_little_by_little()
    {
        Fail(5);
        _now += TimeSpan.FromSeconds(10);
        Assert.True(Admits());
        Assert.True(_breaker.Tell(failed: false, _now, mayOpen: true));

        Assert.InRange(Enumerable.Range(0, 1000).Count(_ => Admits()), 60, 140);
        _now += TimeSpan.FromSeconds(15);
        Assert.InRange(Enumerable.Range(0, 1000).Count(_ => Admits()), 440, 560);
        _now += TimeSpan.FromSeconds(15);
        Assert.Equal(1000, Enumerable.Range(0, 1000).Count(_ => Admits()));
        Assert.Equal(1, _breaker.ShareAt(_now));
    }

    [Fact]
    public void After_a_long_time_without_failures_the_pause_is_short_again()
    {
        Fail(5);
        _now += TimeSpan.FromSeconds(10);
        Admits();
        Fail();
        _now += TimeSpan.FromSeconds(20);
        Admits();
        _breaker.Tell(failed: false, _now, mayOpen: true);

        _now += TimeSpan.FromSeconds(21);
        Fail(5);
        Assert.Equal(TimeSpan.FromSeconds(10), _breaker.Until - _now);
    }

    [Fact]
    public void A_target_that_comes_back_among_others_takes_less_and_alone_takes_all()
    {
        var fleet = new Fleet().With("a").With("b");
        fleet.Fail("a", 5);
        Assert.Equal(100, fleet.Count(new RouteQuery("echo"), 100)["b"]);
        fleet.Now += TimeSpan.FromSeconds(10);
        fleet.State("a").Breaker.Admits(fleet.Now, true, fleet.Random);
        fleet.State("a").Breaker.Tell(failed: false, fleet.Now, mayOpen: true);

        Assert.InRange(
            fleet.Count(new RouteQuery("echo") with { Strategy = RouteStrategies.Find("random") }, 2000)["a"],
            50,
            200
        );
        Assert.Equal(100, fleet.Without("b").Count(new RouteQuery("echo"), 100)["a"]);
    }

    [Fact]
    public void A_failed_check_takes_a_target_out_and_a_good_one_brings_it_back_slowly()
    {
        var fleet = new Fleet().With("a").With("b", 0.9);
        Assert.True(fleet.State("a").Found(TargetStatus.Unhealthy, fleet.Now));
        Assert.Equal("b", fleet.Choose(new RouteQuery("echo")));
        Assert.Contains(
            "health check",
            fleet.Explain(new RouteQuery("echo")).Excluded[0].Reason,
            StringComparison.Ordinal
        );

        Assert.True(fleet.State("a").Found(TargetStatus.Healthy, fleet.Now));
        Assert.False(fleet.State("a").Found(TargetStatus.Healthy, fleet.Now));
        Assert.InRange(fleet.Count(new RouteQuery("echo"), 1000)["a"], 50, 200);
    }
}
