namespace Galaxy.Core.Routing;

/// <summary>
/// How many additional requests may be sent: a share of the ordinary ones and a few each second, so that hedges and
/// retries never multiply the load of a system that is slow because it is overloaded, and help where there is little to
/// do. Thread-safe.
/// </summary>
/// <param name="share">Additional requests for each ordinary one.</param>
/// <param name="perSecond">Additional requests for each second.</param>
public sealed class ExtraBudget(double share, double perSecond)
{
    private const double Most = 10;
    private readonly Lock _gate = new();
    private double _tokens = Most;
    private TimeSpan _filledAt;

    /// <summary>An ordinary request was sent.</summary>
    public void Earn()
    {
        lock (_gate)
            _tokens = Math.Min(Most, _tokens + share);
    }

    /// <summary>Whether one more may be sent now.</summary>
    /// <param name="now">Monotonic.</param>
    public bool TrySpend(TimeSpan now)
    {
        lock (_gate)
        {
            _tokens = Math.Min(Most, _tokens + (Math.Max(0, (now - _filledAt).TotalSeconds) * perSecond));
            _filledAt = now;
            if (_tokens < 1)
                return false;
            _tokens--;
            return true;
        }
    }
}
