using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Failover;

namespace Galaxy.Coordinator.Http;

/// <summary>
/// <c>POST /api/v1/failover</c>. <paramref name="To"/>: the successor; null: the node that ranks first.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FailoverRequest(string? To);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record NodeRequest(string? NodeId);

/// <summary><c>PUT /api/v1/failover/order</c>: the primary first.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record OrderRequest(IReadOnlyList<string>? Order);

internal sealed record HandedOver(string From, string To);

internal static class FailoverApi
{
    public static void MapFailoverApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/api/v1/failovers", async (FailoverLog log) => Results.Ok(await log.ReadAsync()))
            .Produces<IReadOnlyList<FailoverRecord>>()
            .WithSummary("The last failovers, newest first");

        var manager = endpoints.MapGroup("/api/v1/failover");
        manager.AddEndpointFilter(
            async (invocation, next) =>
            {
                try
                {
                    return await next(invocation);
                }
                catch (FailoverRequestException refused)
                {
                    return Results.Problem(refused.Message, statusCode: refused.Status);
                }
            }
        );
        manager
            .MapGet("", (FailoverManager failover) => failover.Status())
            .WithSummary("Primary, secondaries, order, failed nodes, checks (GetStatus)");
        manager
            .MapPost("", async (FailoverRequest? request, FailoverManager failover, CancellationToken cancellation) =>
                Answer(await failover.FailoverAsync(request?.To, cancellation))
            )
            .RequireLeader()
            .WithSummary("Hand leadership over, to the named node or to the first in rank (Failover)");
        manager
            .MapPost(
                "/promote",
                async (NodeRequest request, FailoverManager failover, CancellationToken cancellation) =>
                    Answer(await failover.PromoteAsync(request.NodeId, cancellation))
            )
            .RequireLeader()
            .WithSummary("Make a node the primary and hand leadership over to it");
        manager
            .MapPut("/primary", (NodeRequest request, FailoverManager failover) => failover.SetPrimary(request.NodeId))
            .WithSummary("Say who stands first (SetPrimary)");
        manager
            .MapPost("/secondaries", (NodeRequest request, FailoverManager failover) =>
                failover.AddSecondary(request.NodeId)
            )
            .WithSummary("Add a node to those that stand next (AddSecondary)");
        manager
            .MapDelete("/secondaries/{id}", (string id, FailoverManager failover) => failover.RemoveSecondary(id))
            .WithSummary("Take a node out of them (RemoveSecondary)");
        manager
            .MapPut("/order", (OrderRequest request, FailoverManager failover) => failover.SetOrder(request.Order))
            .WithSummary("Say who stands first, second and so on, all at once");
        manager
            .MapPut("/drained/{id}", async (string id, FailoverManager failover, CancellationToken cancellation) =>
                await failover.DrainAsync(id, cancellation) is var (status, leadsStill) && leadsStill
                    ? Results.Json(status, statusCode: 202)
                    : Results.Ok(status)
            )
            .Produces<FailoverStatus>()
            .Produces<FailoverStatus>(202)
            .WithSummary(
                "Drain a node: it hands leadership over and takes none until it is let in again. 202: it "
                    + "leads still, until another one is ready"
            );
        manager
            .MapDelete("/drained/{id}", (string id, FailoverManager failover) => failover.Undrain(id))
            .WithSummary("Let a drained node stand for leadership again");
        manager
            .MapPut("/settings", (FailoverSettingsChange change, FailoverManager failover) => failover.Change(change))
            .WithSummary("Change recovery, failback, attempts and intervals");
        manager
            .MapPost("/checks", (HealthCheckerSettings checker, FailoverManager failover) =>
                failover.RegisterHealthChecker(checker)
            )
            .WithSummary("Add or change a health check that a coordinator must pass to lead (RegisterHealthChecker)");
        manager
            .MapDelete("/checks/{name}", (string name, FailoverManager failover) => failover.RemoveHealthChecker(name))
            .WithSummary("Remove a health check");
    }

    private static HandedOver Answer((string From, string To) done) => new(done.From, done.To);
}
