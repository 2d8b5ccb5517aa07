namespace Galaxy.Console.Traces;

internal static class TraceApi
{
    public static void MapTraceApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/api/v1/traces", (TraceStore traces, int? limit, string? service, string? text, bool? failed) =>
                Results.Ok(
                    traces.List(Math.Clamp(limit ?? 100, 1, 1000), new TraceQuery(service, text, failed ?? false))
                )
            )
            .Produces<IReadOnlyList<TraceSummary>>()
            .WithTags("Telemetry")
            .WithSummary("The newest traces");
        endpoints
            .MapGet("/api/v1/traces/{id}", (string id, TraceStore traces) =>
                traces.Get(id) is { Count: > 0 } spans
                    ? Results.Ok(spans)
                    : Results.Problem(
                        $"The trace '{id}' is not known here; the console keeps the newest {TraceStore.MaxTraces}.",
                        statusCode: 404
                    )
            )
            .Produces<IReadOnlyList<SpanView>>()
            .ProducesProblem(404)
            .WithTags("Telemetry")
            .WithSummary("The spans of one trace");
    }
}
