namespace Galaxy.Core.Routing;

public enum BreakerState
{
    /// <summary>Requests pass.</summary>
    Closed,

    /// <summary>Ejected: requests fail at once, or go elsewhere.</summary>
    Open,

    /// <summary>One request at a time may try whether it is well again.</summary>
    HalfOpen,
}

/// <summary>The numbers of <see cref="CircuitBreaker"/>.</summary>
/// <param name="ConsecutiveFailures">That many in a row open it.</param>
/// <param name="FailureShare">So does this share of the last <see cref="Window"/> outcomes.</param>
/// <param name="FirstPause">How long the first ejection lasts; each further one twice as long, up to
/// <see cref="LongestPause"/>.</param>
/// <param name="SlowStart">How long a target that comes back gets less than its share, growing from a tenth.</param>
public sealed record BreakerOptions(
    int ConsecutiveFailures,
    double FailureShare,
    TimeSpan FirstPause,
    TimeSpan LongestPause,
    TimeSpan SlowStart
)
{
    public const int Window = 20;

    /// <summary>
    /// Five in a row or half of twenty; ten seconds, doubling up to five minutes; thirty seconds to come back.
    /// </summary>
    public static BreakerOptions Standard { get; } =
        new(5, 0.5, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30));
}

/// <summary>
/// Ejects a target that fails, lets one request try it after a pause, and gives it its full share back little by
/// little. Pauses grow with each ejection, and are short again when it was well for as long as its last pause.
/// Thread-safe; times are monotonic.
/// </summary>
public sealed class CircuitBreaker(BreakerOptions options)
{
    // A trial whose outcome was never told is no reason to wait for ever.
    private static readonly TimeSpan TrialLife = TimeSpan.FromMinutes(1);
    private const double LeastShare = 0.1;

    private readonly Lock _gate = new();
    private volatile BreakerState _state;
    private int _inARow;
    private uint _outcomes;
    private int _count;
    private int _ejections;
    private TimeSpan _pause;
    private TimeSpan _until;
    private TimeSpan? _trialAt;
    private long _warmFrom = long.MinValue;

    /// <summary>When an ejection ends; meaningful while it is open.</summary>
    public TimeSpan Until
    {
        get
        {
            lock (_gate)
                return _until;
        }
    }

    public BreakerState StateAt(TimeSpan now)
    {
        if (_state != BreakerState.Open)
            return _state;
        lock (_gate)
        {
            if (_state == BreakerState.Open && now >= _until)
                (_state, _trialAt) = (BreakerState.HalfOpen, null);
            return _state;
        }
    }

    /// <summary>How much of its share it gets: 1, or less while it comes back.</summary>
    public double ShareAt(TimeSpan now)
    {
        var from = Interlocked.Read(ref _warmFrom);
        if (from == long.MinValue)
            return 1;
        var since = now.Ticks - from;
        if (since < options.SlowStart.Ticks)
            return Math.Max(LeastShare, (double)since / options.SlowStart.Ticks);
        Interlocked.CompareExchange(ref _warmFrom, long.MinValue, from);
        return 1;
    }

    /// <summary>Whether a request may go there now.</summary>
    /// <param name="willTell">The outcome will be told by <see cref="Tell"/> or <see cref="NeverMind"/>: only such a
    /// request may be a trial.</param>
    public bool Admits(TimeSpan now, bool willTell, Random random)
    {
        switch (StateAt(now))
        {
            case BreakerState.Open:
                return false;
            case BreakerState.HalfOpen:
                if (!willTell)
                    return false;
                lock (_gate)
                {
                    if (_state != BreakerState.HalfOpen || (_trialAt is { } at && now - at < TrialLife))
                        return false;
                    _trialAt = now;
                    return true;
                }
            default:
                return ShareAt(now) is var share && (share >= 1 || random.NextDouble() < share);
        }
    }

    /// <summary>The request that was admitted has neither succeeded nor failed: the caller left.</summary>
    public void NeverMind()
    {
        lock (_gate)
            _trialAt = null;
    }

    /// <summary>How a request ended; true when that changed the state.</summary>
    /// <param name="mayOpen">False: too many others are ejected already.</param>
    public bool Tell(bool failed, TimeSpan now, bool mayOpen)
    {
        var state = StateAt(now);
        if (!failed && state == BreakerState.Closed && _inARow == 0 && _outcomes == 0)
            return false;
        lock (_gate)
        {
            switch (_state)
            {
                case BreakerState.Open:
                    return false;
                case BreakerState.HalfOpen when failed:
                    Open(now);
                    return true;
                case BreakerState.HalfOpen:
                    Close();
                    Interlocked.Exchange(ref _warmFrom, now.Ticks);
                    return true;
            }
            _inARow = failed ? _inARow + 1 : 0;
            _outcomes = (_outcomes << 1) | (failed ? 1u : 0);
            _outcomes &= (1u << BreakerOptions.Window) - 1;
            _count = Math.Min(_count + 1, BreakerOptions.Window);
            var share = System.Numerics.BitOperations.PopCount(_outcomes) / (double)BreakerOptions.Window;
            if (
                !failed
                || !mayOpen
                || (
                    _inARow < options.ConsecutiveFailures
                    && (_count < BreakerOptions.Window || share < options.FailureShare)
                )
            )
                return false;
            Open(now);
            return true;
        }
    }

    /// <summary>It was away and is back.</summary>
    public void WarmUp(TimeSpan now)
    {
        lock (_gate)
            Close();
        Interlocked.Exchange(ref _warmFrom, now.Ticks);
    }

    private void Open(TimeSpan now)
    {
        // Well for longer than its last pause: it starts over.
        if (now - _until > _pause)
            _ejections = 0;
        _pause = options.FirstPause * Math.Pow(2, Math.Min(_ejections, 30));
        _pause = _pause < options.LongestPause ? _pause : options.LongestPause;
        _ejections++;
        _until = now + _pause;
        _state = BreakerState.Open;
    }

    private void Close()
    {
        (_state, _inARow, _outcomes, _count, _trialAt) = (BreakerState.Closed, 0, 0, 0, null);
    }
}
