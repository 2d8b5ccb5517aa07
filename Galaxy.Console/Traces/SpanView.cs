namespace Galaxy.Console.Traces;

/// <summary>A span as pages and the API show it.</summary>
/// <param name="ParentId">Empty for a root.</param>
/// <param name="Service">The resource's <c>service.name</c>.</param>
public sealed record SpanView(
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    string Service,
    string Kind,
    DateTimeOffset Start,
    double DurationMs,
    bool Failed,
    string StatusMessage,
    IReadOnlyDictionary<string, string> Attributes
)
{
    /// <summary>What happened in its course, for instance exceptions.</summary>
    public IReadOnlyList<SpanEvent> Events { get; init; } = [];
}

/// <param name="OffsetMs">After the span's start.</param>
public sealed record SpanEvent(string Name, double OffsetMs, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A trace in the list.</summary>
public sealed record TraceSummary(
    string TraceId,
    string Name,
    DateTimeOffset Start,
    double DurationMs,
    int Spans,
    bool Failed,
    IReadOnlyList<string> Services
);
