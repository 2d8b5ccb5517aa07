namespace Galaxy.Console.Traces;

/// <summary>A query for traces.</summary>
/// <param name="Text">Part of a span's name, whatever its case.</param>
/// <param name="FailedOnly">Traces with a failed span.</param>
/// <param name="LeastMs">At least this long.</param>
public sealed record TraceQuery(
    string? Service = null,
    string? Text = null,
    bool FailedOnly = false,
    double LeastMs = 0
);

/// <summary>
/// The newest traces, in bounded memory: at most <see cref="MaxTraces"/> traces, <see cref="MaxSpans"/> spans and
/// <see cref="MaxBytes"/> bytes, the oldest go first. Thread-safe.
/// </summary>
public sealed class TraceStore
{
    public const int MaxTraces = 5_000;
    public const int MaxSpans = 50_000;
    public const long MaxBytes = 64 * 1024 * 1024;
    private const int MaxSpansPerTrace = 5_000;
    private const int Overhead = 350;

    private sealed class Trace
    {
        public readonly List<SpanView> Spans = [];
        public long Bytes;
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Trace> _traces = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly SortedDictionary<string, int> _services = new(StringComparer.Ordinal);
    private int _spans;
    private long _bytes;

    /// <summary>Raised after spans came in; handlers must be quick.</summary>
    public event Action? Changed;

    public void Add(IEnumerable<SpanView> spans)
    {
        lock (_gate)
        {
            foreach (var span in spans)
                Add(span);
            while (_traces.Count > MaxTraces || ((_spans > MaxSpans || _bytes > MaxBytes) && _traces.Count > 1))
            {
                if (!_traces.Remove(_order.Dequeue(), out var dropped))
                    continue;
                _spans -= dropped.Spans.Count;
                foreach (var span in dropped.Spans)
                    Forget(span.Service);
                _bytes -= dropped.Bytes;
            }
        }
        Changed?.Invoke();
    }

    private void Add(SpanView span)
    {
        if (!_traces.TryGetValue(span.TraceId, out var trace))
        {
            _traces[span.TraceId] = trace = new Trace();
            _order.Enqueue(span.TraceId);
        }
        if (trace.Spans.Count >= MaxSpansPerTrace)
            return;
        // All spans of a trace share its id.
        trace.Spans.Add(trace.Spans.Count > 0 ? span with { TraceId = trace.Spans[0].TraceId } : span);
        var size = SizeOf(span);
        trace.Bytes += size;
        _bytes += size;
        _spans++;
        _services[span.Service] = _services.GetValueOrDefault(span.Service) + 1;
    }

    private void Forget(string service)
    {
        if (--_services[service] == 0)
            _services.Remove(service);
    }

    private static int SizeOf(SpanView span) =>
        Overhead
        + 2 * span.StatusMessage.Length
        + SizeOf(span.Attributes)
        + span.Events.Sum(one => 80 + SizeOf(one.Attributes));

    // Names are shared; values, above a length, are not.
    private static int SizeOf(IReadOnlyDictionary<string, string> attributes) =>
        attributes.Sum(pair => 16 + 2 * pair.Value.Length);

    /// <summary>The spans in order of their start; empty when the trace is not known (any more).</summary>
    public IReadOnlyList<SpanView> Get(string traceId)
    {
        lock (_gate)
            return _traces.TryGetValue(traceId, out var trace) ? [.. trace.Spans.OrderBy(span => span.Start)] : [];
    }

    /// <summary>The newest first.</summary>
    public IReadOnlyList<TraceSummary> List(int count, TraceQuery? query = null)
    {
        lock (_gate)
        {
            return
            [
                .. _order
                    .Reverse()
                    .Select(id => _traces[id].Spans)
                    .Where(spans => query is null || Matches(spans, query))
                    .Select(Summarise)
                    .Where(trace => query is null || trace.DurationMs >= query.LeastMs)
                    .Take(count),
            ];
        }
    }

    /// <summary>The services that have spans here.</summary>
    public IReadOnlyList<string> Services
    {
        get
        {
            lock (_gate)
                return [.. _services.Keys];
        }
    }

    /// <summary>How many spans of a trace are here.</summary>
    public int CountOf(string traceId)
    {
        lock (_gate)
            return _traces.TryGetValue(traceId, out var trace) ? trace.Spans.Count : 0;
    }

    private static bool Matches(List<SpanView> spans, TraceQuery query) =>
        (query.Service is null || spans.Exists(span => span.Service == query.Service))
        && (!query.FailedOnly || spans.Exists(span => span.Failed))
        && (
            query.Text is null
            || spans.Exists(span => span.Name.Contains(query.Text, StringComparison.OrdinalIgnoreCase))
        );

    private static TraceSummary Summarise(List<SpanView> spans)
    {
        var first = spans[0];
        SpanView? root = null;
        var end = DateTimeOffset.MinValue;
        var failed = false;
        var services = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var span in spans)
        {
            first = span.Start < first.Start ? span : first;
            root ??= span.ParentId.Length == 0 ? span : null;
            var until = span.Start.AddMilliseconds(span.DurationMs);
            end = until > end ? until : end;
            failed |= span.Failed;
            services.Add(span.Service);
        }
        // The root if it has come; children are exported before their parents.
        return new TraceSummary(
            first.TraceId,
            (root ?? first).Name,
            first.Start,
            (end - first.Start).TotalMilliseconds,
            spans.Count,
            failed,
            [.. services]
        );
    }
}
