using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Coordinator.Http;

/// <summary>
/// <c>/api/v1/quarantine</c>: records that were set aside. The leader answers, which reads them all. A record is named
/// by <c>?kind=…&amp;id=…</c>: its id may hold what no path can carry.
/// </summary>
internal static class QuarantineApi
{
    public static void MapQuarantineApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints
            .MapGroup("/api/v1/quarantine")
            .WithTags("State")
            .AddEndpointFilter(TaskErrors.ExplainAsync);
        group
            .MapGet("", List)
            .RequireLeader()
            .Needs(AccessRole.Operator, reads: true)
            .Produces<IReadOnlyList<QuarantinedRecord>>()
            .WithSummary(
                "Stored records that cannot be read or used, each with its reason; everything else goes on without them"
            );
        group
            .MapPost("", RetryAsync)
            .RequireLeader()
            .Needs(AccessRole.Admin)
            .Produces(204)
            .ProducesProblem(404)
            .ProducesProblem(409)
            .WithSummary("Read a record again: it is released when it can be used now");
        group
            .MapDelete("", DeleteAsync)
            .RequireLeader()
            .Needs(AccessRole.Admin)
            .Produces(204)
            .ProducesProblem(404)
            .WithSummary("Delete a record that was set aside, for good");
    }

    private static IReadOnlyList<QuarantinedRecord> List(
        Quarantine quarantine,
        IEnumerable<IStoredRecords> stored,
        ReplicatedState replica
    )
    {
        var kinds = quarantine.List().Select(record => record.Kind).Distinct();
        foreach (var kind in kinds.Except(stored.Select(records => records.Kind)))
            quarantine.Keep(kind, id => replica.Get(kind, id) is not null);
        return quarantine.List();
    }

    private static async Task<IResult> RetryAsync(
        string kind,
        string id,
        Quarantine quarantine,
        IEnumerable<IStoredRecords> stored,
        ReplicatedState replica
    )
    {
        if (!quarantine.Contains(kind, id))
            return Missing(kind, id);
        if (stored.FirstOrDefault(one => one.Kind == kind) is { } records)
            await records.ReadAgainAsync(id);
        // A record of the replicated state that was replaced meanwhile was released when it was read.
        else if (replica.Get(kind, id) is null)
            quarantine.Release(kind, id);
        return quarantine.Contains(kind, id)
            ? Results.Problem("The record still cannot be used.", statusCode: 409)
            : Results.NoContent();
    }

    private static async Task<IResult> DeleteAsync(
        string kind,
        string id,
        Quarantine quarantine,
        IEnumerable<IStoredRecords> stored,
        ReplicatedState replica
    )
    {
        if (!quarantine.Contains(kind, id))
            return Missing(kind, id);
        if (stored.FirstOrDefault(one => one.Kind == kind) is { } records)
        {
            // It may have been mended since it was set aside.
            await records.ReadAgainAsync(id);
            if (!quarantine.Contains(kind, id))
                return Results.Problem(
                    "The record can be used again, and was not deleted.",
                    statusCode: StatusCodes.Status409Conflict
                );
            await records.DeleteAsync(id);
        }
        else
            replica.Delete(kind, id);
        quarantine.Release(kind, id);
        return Results.NoContent();
    }

    private static IResult Missing(string kind, string id) =>
        Results.Problem($"No record '{id}' of '{kind}' is set aside.", statusCode: 404);
}
