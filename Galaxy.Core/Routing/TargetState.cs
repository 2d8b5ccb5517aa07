namespace Galaxy.Core.Routing;

/// <summary>
/// What a router knows of a target by its own experience; outlives the table that the target is in. Thread-safe; times
/// are monotonic.
/// </summary>
public sealed class TargetState(string id, BreakerOptions options)
{
    // Each answer counts a fifth; without answers what was measured fades, so that a slow target is tried again.
    private const double Weight = 0.2;
    private static readonly double FadeTicks = TimeSpan.FromSeconds(10).Ticks;

    private int _inFlight;
    private double _latency;
    private long _measuredAt;
    private volatile TargetStatus _checked = TargetStatus.Healthy;

    public string Id { get; } = id;

    internal ulong Hash { get; } = RendezvousHash.Of(id);

    public CircuitBreaker Breaker { get; } = new(options);

    /// <summary>Requests that this router has there now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>As the last active check found it; healthy before the first.</summary>
    public TargetStatus Checked => _checked;

    /// <summary>Moving average in ms, fading while nothing is measured; 0: unknown.</summary>
    public double LatencyAt(TimeSpan now)
    {
        var latency = Volatile.Read(ref _latency);
        return latency <= 0
            ? 0
            : latency * Math.Exp(-Math.Max(0, now.Ticks - Volatile.Read(ref _measuredAt)) / FadeTicks);
    }

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End() => Interlocked.Decrement(ref _inFlight);

    /// <param name="milliseconds">From the request to the head of its answer.</param>
    public void Measured(double milliseconds, TimeSpan now)
    {
        // Two at the same time lose one of two measurements: it is an average.
        var before = LatencyAt(now);
        Volatile.Write(ref _latency, before <= 0 ? milliseconds : before + (Weight * (milliseconds - before)));
        Volatile.Write(ref _measuredAt, now.Ticks);
    }

    /// <summary>
    /// Records the result of an active check; true when it is a change. A recovered target begins slowly.
    /// </summary>
    public bool Found(TargetStatus status, TimeSpan now)
    {
        var before = _checked;
        if (before == status)
            return false;
        _checked = status;
        if (before == TargetStatus.Unhealthy)
            Breaker.WarmUp(now);
        return true;
    }
}
