using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Coordinator.Storage;

/// <summary><c>/api/v1/quarantine</c>: records that were set aside. The leader answers, which reads them all.</summary>
internal static class QuarantineApi
{
    public static void MapQuarantineApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints
            .MapGroup("/api/v1/quarantine")
            .WithTags("State")
            .AddEndpointFilter(TaskErrors.ExplainAsync);
        group
            .MapGet("", (Quarantine quarantine) => quarantine.List())
            .RequireLeader()
            .Needs(AccessRole.Operator, reads: true)
            .Produces<IReadOnlyList<QuarantinedRecord>>()
            .WithSummary(
                "Stored records that cannot be read or used, each with its reason; everything else goes on without them"
            );
        group
            .MapPost("/{kind}/{**id}", RetryAsync)
            .RequireLeader()
            .Needs(AccessRole.Admin)
            .Produces(204)
            .ProducesProblem(404)
            .ProducesProblem(409)
            .WithSummary("Read a record again: it is released when it can be used now");
        group
            .MapDelete("/{kind}/{**id}", DeleteAsync)
            .RequireLeader()
            .Needs(AccessRole.Admin)
            .Produces(204)
            .ProducesProblem(404)
            .WithSummary("Delete a record that was set aside, for good");
    }

    private static async Task<IResult> RetryAsync(
        string kind,
        string id,
        Quarantine quarantine,
        TaskEngine tasks,
        GossipNode gossip
    )
    {
        if (!quarantine.Contains(kind, id))
            return Missing(kind, id);
        if (kind == Quarantine.Tasks)
            await tasks.AskAsync(new TaskEvent.Reload(id));
        // A record that was replaced meanwhile was released when it was read.
        else if (gossip.Get(kind, id) is null)
            quarantine.Release(kind, id);
        return quarantine.Contains(kind, id)
            ? Results.Problem("The record still cannot be used.", statusCode: 409)
            : Results.NoContent();
    }

    private static async Task<IResult> DeleteAsync(
        string kind,
        string id,
        Quarantine quarantine,
        TaskEngine tasks,
        GossipNode gossip
    )
    {
        if (!quarantine.Contains(kind, id))
            return Missing(kind, id);
        if (kind == Quarantine.Tasks)
            await tasks.AskAsync(new TaskEvent.Drop(id));
        else
            gossip.Delete(kind, id);
        quarantine.Release(kind, id);
        return Results.NoContent();
    }

    private static IResult Missing(string kind, string id) =>
        Results.Problem($"No record '{id}' of '{kind}' is set aside.", statusCode: 404);
}
