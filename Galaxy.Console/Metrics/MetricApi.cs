namespace Galaxy.Console.Metrics;

internal static class MetricApi
{
    public static void MapMetricApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/api/v1/metrics", (MetricStore metrics) => metrics.List())
            .WithTags("Telemetry")
            .WithSummary("The metrics that services have sent");
        endpoints
            .MapGet("/api/v1/metrics/{service}/{name}", (string service, string name, MetricStore metrics) =>
                metrics.Get(service, name) is { Count: > 0 } series
                    ? Results.Ok(series)
                    : Results.Problem(
                        $"'{service}' has sent no metric '{name}'; GET /api/v1/metrics lists them.",
                        statusCode: 404
                    )
            )
            .Produces<IReadOnlyList<SeriesView>>()
            .ProducesProblem(404)
            .WithTags("Telemetry")
            .WithSummary("The newest points of a metric, by its attributes");
    }
}
