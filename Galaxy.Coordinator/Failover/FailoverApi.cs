using System.Text.Json.Serialization;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Gossip;
using Galaxy.Core.Membership;

namespace Galaxy.Coordinator.Failover;

/// <summary><c>POST /api/v1/failover</c>. <paramref name="To"/>: the successor; null: whoever ranks first.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FailoverRequest(string? To);

internal static class FailoverApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void MapFailoverApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/v1/failovers", async (FailoverLog log) => Results.Ok(await log.ReadAsync()))
            .WithSummary("The last failovers, newest first");
        endpoints.MapPost("/api/v1/failover", FailoverAsync).RequireLeader()
            .WithSummary("Hand leadership over, to the named node or to the first in rank");
    }

    private static async Task<IResult> FailoverAsync(FailoverRequest? request, Elector elector, GossipNode gossip, CancellationToken cancellation)
    {
        var candidates = gossip.Members.All.Where(m => m.State == MemberState.Alive && m.NodeId != gossip.Members.Self).Select(m => m.NodeId).ToList();
        if (request?.To is { } to && !candidates.Contains(to))
        {
            return Results.Problem(
                $"'to' is '{to}', which is no other live coordinator. Live: {(candidates.Count == 0 ? "none" : string.Join(", ", candidates))}.", statusCode: 400);
        }
        if (candidates.Count == 0)
            return Results.Problem("There is no other live coordinator to hand leadership to.", statusCode: 409);
        var successor = request?.To ?? gossip.Candidates().First(id => candidates.Contains(id));
        return await elector.ResignAsync(successor, "manual", Patience, cancellation)
            ? Results.Ok(new { from = gossip.Members.Self, to = successor })
            : Results.Problem("The lease could not be released in time; it will run out by itself.", statusCode: 503);
    }
}
