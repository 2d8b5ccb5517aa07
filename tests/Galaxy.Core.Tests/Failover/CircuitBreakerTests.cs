using Galaxy.Core.Failover;

namespace Galaxy.Core.Tests.Failover;

public class CircuitBreakerTests
{
    private static readonly CircuitBreaker New = new(new BreakerSettings());

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static CircuitBreaker Opened =>
        Enumerable.Range(0, 5).Aggregate(New, (breaker, i) => breaker.Failed(At(i)));

    [Fact]
    public void Five_failures_within_a_minute_open_it()
    {
        Assert.Equal(BreakerState.Open, Opened.StateAt(At(5)));
        Assert.False(Opened.AllowsAt(At(5)));
        Assert.Equal(
            BreakerState.Closed,
            Enumerable.Range(0, 5).Aggregate(New, (breaker, i) => breaker.Failed(At(i * 20))).StateAt(At(81))
        );
    }

    [Fact]
    public void After_half_a_minute_it_lets_tries_through_and_three_successes_close_it()
    {
        var half = Opened;
        Assert.Equal(BreakerState.HalfOpen, half.StateAt(At(34)));
        half = half.Succeeded(At(35)).Succeeded(At(36));
        Assert.Equal(BreakerState.HalfOpen, half.StateAt(At(36)));
        Assert.Equal(BreakerState.Closed, half.Succeeded(At(37)).StateAt(At(37)));
    }

    [Fact]
    public void One_failure_while_half_open_opens_it_again()
    {
        var again = Opened.Succeeded(At(35)).Failed(At(36));

        Assert.Equal(BreakerState.Open, again.StateAt(At(65)));
        Assert.Equal(BreakerState.HalfOpen, again.StateAt(At(66)));
    }
}
