using System.Collections.Concurrent;
using Galaxy.Core.Routing;

namespace Galaxy.Router.Invocation;

/// <summary>How long answers take, by capability; and how many additional requests may be sent. Thread-safe.</summary>
internal sealed class InvokeLatencies
{
    private const int Most = 10_000;
    private readonly LatencyWindow _others = new();
    private readonly ConcurrentDictionary<string, LatencyWindow> _windows = new(StringComparer.Ordinal);

    /// <summary>Beyond <see cref="Most"/> capabilities the rest share one.</summary>
    public LatencyWindow Of(string capability) =>
        _windows.TryGetValue(capability, out var known) ? known
        : _windows.Count >= Most ? _others
        : _windows.GetOrAdd(capability, _ => new LatencyWindow());

    /// <summary>A tenth of the requests may be sent twice because the first is slow.</summary>
    public ExtraBudget Hedges { get; } = new(share: 0.1, perSecond: 1);

    /// <summary>A fifth may be sent again because the first failed.</summary>
    public ExtraBudget Retries { get; } = new(share: 0.2, perSecond: 10);
}
