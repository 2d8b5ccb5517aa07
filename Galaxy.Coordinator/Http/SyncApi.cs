using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Clocks;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Http;

/// <summary><c>GET /api/v1/sync/status</c>.</summary>
internal static class SyncApi
{
    public static void MapSyncApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGet("/api/v1/sync/status", Status)
            .WithSummary(
                "How far each peer is behind the answering node, when it last spoke, what gossip with it costs"
            );

    private static SyncStatus Status(
        Membership membership,
        ReplicatedState replica,
        PeerSummaries summaries,
        PeerTraffic traffic,
        NodeOptions node
    )
    {
        var here = replica.Summary;
        var (entries, bytes) = replica.Size;
        return new SyncStatus(
            node.NodeId,
            replica.Origin,
            entries,
            bytes,
            here.Dots.Sum(dot => (long)dot.Counter),
            [
                .. membership
                    .Members.All.Where(member => member.NodeId != node.NodeId)
                    .Select(member =>
                    {
                        var heard = summaries.Of(member.NodeId);
                        var cost = traffic.Of(member.NodeId);
                        return new SyncPeer(
                            member.NodeId,
                            GossipWire.Name(member.State),
                            heard is null ? null : Lag(here, heard.Summary),
                            heard?.At,
                            cost.Sent,
                            cost.Received,
                            cost.RttMs,
                            cost.ClockOffsetMs
                        );
                    }),
            ],
            here.Dots.ToDictionary(dot => dot.Origin, dot => (long)dot.Counter)
        );
    }

    private static long Lag(VersionVector here, VersionVector there) =>
        here.Dots.Sum(dot => (long)dot.Counter - (long)Math.Min(dot.Counter, there[dot.Origin]));
}
