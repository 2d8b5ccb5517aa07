namespace Galaxy.Console.Logs;

internal static class LogApi
{
    private const int MostListed = 1000;

    public static void MapLogApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGet(
                "/api/v1/logs",
                (LogStore logs, int? limit, string? level, string? service, string? text, string? trace) =>
                    level is not null && LogLevels.Rank(level) < 0
                        ? Results.Problem(
                            $"'level' is '{level}'; allowed are {string.Join(", ", LogLevels.Names)}.",
                            statusCode: 400
                        )
                    : limit is < 1 or > MostListed
                        ? Results.Problem($"'limit' must be 1 to {MostListed}.", statusCode: 400)
                    : Results.Ok(logs.List(limit ?? 100, new LogQuery(level, service, text, trace)))
            )
            .Produces<IReadOnlyList<LogView>>()
            .ProducesProblem(400)
            .WithTags("Telemetry")
            .WithSummary("The newest log records: from a level up, of a service, with a text, or of a trace");
}
