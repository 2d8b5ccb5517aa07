using System.Collections.Concurrent;
using Galaxy.Contracts.Api;

namespace Galaxy.OneApi.Routing;

/// <summary>
/// The state of each target: requests under way, and the time to its first token (moving average). Thread-safe.
/// </summary>
internal sealed class TargetStats
{
    private const double Alpha = 0.2;

    private sealed class One
    {
        public int Busy;
        public double Milliseconds = double.NaN;
        public int FailuresInARow;
    }

    private readonly ConcurrentDictionary<string, One> _targets = [];

    private One Of(string id) => _targets.GetOrAdd(id, _ => new One());

    public void Begin(string id) => Interlocked.Increment(ref Of(id).Busy);

    public void End(string id) => Interlocked.Decrement(ref Of(id).Busy);

    public void Answered(string id, double milliseconds)
    {
        var one = Of(id);
        lock (one)
        {
            one.FailuresInARow = 0;
            one.Milliseconds = double.IsNaN(one.Milliseconds)
                ? milliseconds
                : one.Milliseconds + Alpha * (milliseconds - one.Milliseconds);
        }
    }

    public void Failed(string id)
    {
        var one = Of(id);
        lock (one)
            one.FailuresInARow++;
    }

    public int Busy(string id) => _targets.TryGetValue(id, out var one) ? Volatile.Read(ref one.Busy) : 0;

    /// <summary>Null: it has not been asked yet.</summary>
    public double? Latency(string id) =>
        _targets.TryGetValue(id, out var one) && !double.IsNaN(one.Milliseconds) ? one.Milliseconds : null;

    /// <summary>
    /// So many failures in a row make a target unhealthy: others are asked first, until it answers again.
    /// </summary>
    public const int AilingAfter = 3;

    public bool IsAiling(string id) =>
        _targets.TryGetValue(id, out var one) && Volatile.Read(ref one.FailuresInARow) >= AilingAfter;

    /// <summary>Every target that was asked, by name.</summary>
    public IReadOnlyList<ProviderModelView> All =>
        [
            .. _targets
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => new ProviderModelView(
                    pair.Key,
                    Busy(pair.Key),
                    Latency(pair.Key) is { } ms ? Math.Round(ms, 1) : null,
                    Volatile.Read(ref pair.Value.FailuresInARow)
                )),
        ];
}
