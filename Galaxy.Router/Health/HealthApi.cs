using Galaxy.Core.Routing;
using Galaxy.Router.Routing;

namespace Galaxy.Router.Health;

internal static class HealthApi
{
    private static readonly string[] Methods = ["GET", "POST"];

    public static void MapHealthApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapMethods("/health-check", Methods, CheckAsync)
            .WithSummary("Ask everybody for their health now")
            .WithDescription(
                "Coordinators and services are asked for /health; of devices the cluster's own knowledge is told."
            );

    private static async Task<IResult> CheckAsync(
        ActiveChecks checks,
        RouterTable table,
        CancellationToken cancellation
    )
    {
        var results = (await checks.CheckAllAsync(cancellation)).ToDictionary(result => result.Id);
        var nodes = table
            .Current.Table.Targets.Select(target => new
            {
                target.Id,
                status = TargetView.Word(
                    table.State(target.Id) is { } state ? RoutingTable.StatusOf(target, state) : target.Status
                ),
                latency_ms = results.GetValueOrDefault(target.Id)?.Milliseconds,
                detail = results.GetValueOrDefault(target.Id)?.Detail,
            })
            .ToList();
        return Results.Ok(
            new
            {
                healthy = nodes.Count(node => node.status == "healthy"),
                total = nodes.Count,
                nodes,
            }
        );
    }
}
