namespace Galaxy.Core.Routing;

/// <summary>
/// The last latencies of one capability, for the moment at which a second request is worth sending. Thread-safe.
/// </summary>
public sealed class LatencyWindow
{
    private const int Size = 128;
    private const int Enough = 20;
    private const int SortEvery = 8;

    private readonly Lock _gate = new();
    private readonly double[] _last = new double[Size];
    private int _count;
    private double _p95;

    /// <summary>ms; null: too few are known.</summary>
    public double? P95
    {
        get
        {
            lock (_gate)
                return _count >= Enough ? _p95 : null;
        }
    }

    public void Add(double milliseconds)
    {
        lock (_gate)
        {
            _last[_count++ % Size] = milliseconds;
            if (_count >= Enough && (_count % SortEvery == 0 || _count == Enough))
            {
                Span<double> sorted = stackalloc double[Math.Min(_count, Size)];
                _last.AsSpan(0, sorted.Length).CopyTo(sorted);
                sorted.Sort();
                _p95 = sorted[(int)Math.Ceiling(sorted.Length * 0.95) - 1];
            }
        }
    }
}
