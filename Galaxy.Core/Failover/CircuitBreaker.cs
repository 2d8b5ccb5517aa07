namespace Galaxy.Core.Failover;

public enum BreakerState
{
    Closed,
    Open,
    HalfOpen,
}

/// <summary>When a breaker opens and closes: the report's numbers.</summary>
public sealed record BreakerSettings
{
    /// <summary>So many failures within <see cref="Window"/> open it.</summary>
    public int Failures { get; init; } = 5;

    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An open one lets a try through after this.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>So many successes in a row close a half-open one.</summary>
    public int Successes { get; init; } = 3;
}

/// <summary>
/// A circuit breaker (Nygard, "Release It!", 2007): calls that keep failing are not made for a while. Immutable; times
/// are monotonic and come in from outside.
/// </summary>
public sealed record CircuitBreaker(BreakerSettings Settings)
{
    private IReadOnlyList<TimeSpan> Recent { get; init; } = [];

    private TimeSpan? OpenedAt { get; init; }

    private int Successes { get; init; }

    public BreakerState StateAt(TimeSpan now) =>
        OpenedAt is not { } opened ? BreakerState.Closed
        : now - opened < Settings.OpenFor ? BreakerState.Open
        : BreakerState.HalfOpen;

    /// <summary>Whether a call may be made.</summary>
    public bool AllowsAt(TimeSpan now) => StateAt(now) != BreakerState.Open;

    public CircuitBreaker Failed(TimeSpan now)
    {
        // One failure of a try is enough: nothing has got better.
        if (StateAt(now) == BreakerState.HalfOpen)
            return this with { OpenedAt = now, Successes = 0 };
        IReadOnlyList<TimeSpan> recent = [.. Recent.Where(at => now - at < Settings.Window), now];
        return recent.Count >= Settings.Failures && OpenedAt is null
            ? this with
            {
                Recent = [],
                OpenedAt = now,
                Successes = 0,
            }
            : this with
            {
                Recent = recent,
            };
    }

    public CircuitBreaker Succeeded(TimeSpan now)
    {
        if (StateAt(now) != BreakerState.HalfOpen)
            return this;
        return Successes + 1 >= Settings.Successes
            ? new CircuitBreaker(Settings)
            : this with
            {
                Successes = Successes + 1,
            };
    }
}
