namespace Galaxy.Console.Traces;

/// <summary>
/// The newest traces, in bounded memory: at most <see cref="MaxTraces"/> traces and <see cref="MaxSpans"/> spans, the oldest
/// go first. Thread-safe.
/// </summary>
public sealed class TraceStore
{
    public const int MaxTraces = 2_000;
    public const int MaxSpans = 50_000;
    private const int MaxSpansPerTrace = 5_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<SpanView>> _traces = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private int _spans;

    /// <summary>Raised after spans came in; handlers must be quick.</summary>
    public event Action? Changed;

    public void Add(IEnumerable<SpanView> spans)
    {
        lock (_gate)
        {
            foreach (var span in spans)
                Add(span);
            while (_traces.Count > MaxTraces || (_spans > MaxSpans && _traces.Count > 1))
            {
                if (_traces.Remove(_order.Dequeue(), out var dropped))
                    _spans -= dropped.Count;
            }
        }
        Changed?.Invoke();
    }

    private void Add(SpanView span)
    {
        if (!_traces.TryGetValue(span.TraceId, out var trace))
        {
            _traces[span.TraceId] = trace = [];
            _order.Enqueue(span.TraceId);
        }
        if (trace.Count >= MaxSpansPerTrace)
            return;
        trace.Add(span);
        _spans++;
    }

    /// <summary>The spans in order of their start; empty when the trace is not known (any more).</summary>
    public IReadOnlyList<SpanView> Get(string traceId)
    {
        lock (_gate)
            return _traces.TryGetValue(traceId, out var trace) ? [.. trace.OrderBy(span => span.Start)] : [];
    }

    /// <summary>The newest first.</summary>
    public IReadOnlyList<TraceSummary> List(int count, string? service = null)
    {
        lock (_gate)
        {
            return [.. _order.Reverse()
                .Select(id => _traces[id])
                .Where(trace => service is null || trace.Exists(span => span.Service == service))
                .Take(count)
                .Select(Summarise)];
        }
    }

    private static TraceSummary Summarise(List<SpanView> spans)
    {
        var first = spans.MinBy(span => span.Start)!;
        // The root if it has come; children are exported before their parents.
        var root = spans.Find(span => span.ParentId.Length == 0) ?? first;
        var end = spans.Max(span => span.Start.AddMilliseconds(span.DurationMs));
        return new TraceSummary(
            first.TraceId, root.Name, first.Start, (end - first.Start).TotalMilliseconds, spans.Count, spans.Exists(span => span.Failed),
            [.. spans.Select(span => span.Service).Distinct().Order(StringComparer.Ordinal)]);
    }
}
