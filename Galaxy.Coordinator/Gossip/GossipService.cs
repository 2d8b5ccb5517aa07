using Galaxy.Coordinator.Election;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>The passive side of gossip.</summary>
internal sealed class GossipService(GossipNode gossip, GossipLoop loop, Elector elector, NodeOptions node) : Wire.Gossip.GossipBase
{
    private const int MaxReplyBytes = 2 * 1024 * 1024;

    public override Task<Wire.ExchangeReply> Exchange(Wire.ExchangeRequest request, ServerCallContext context)
    {
        RefuseOtherCluster(request.Cluster);
        var claims = request.Members.Append(request.From).Select(member => member.FromWire()).OfType<Member>();
        gossip.UpdateMembers(table => table.Merge(claims, gossip.Now));
        elector.Post(new ElectionInput.TokenSeen(request.MaxToken));

        var (entries, reaches) = gossip.DeltaFor(request.Summary.ToVector(), MaxReplyBytes);
        var members = gossip.Members;
        var reply = new Wire.ExchangeReply
        {
            From = members.SelfMember.ToWire(),
            Lease = elector.Leader.ToWire(),
            MaxToken = elector.MaxToken,
        };
        reply.Members.AddRange(members.All.Select(member => member.ToWire()));
        reply.Summary.AddRange(reaches.Dots.Select(dot => dot.ToWire()));
        reply.Delta.AddRange(entries.Select(entry => entry.ToWire()));
        return Task.FromResult(reply);
    }

    public override Task<Wire.PushReply> Push(Wire.PushRequest request, ServerCallContext context)
    {
        RefuseOtherCluster(request.Cluster);
        var news = gossip.Apply([.. request.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>()], reaches: null);
        if (news.Count > 0)
            loop.Spread(news, request.Hops + 1);
        return Task.FromResult(new Wire.PushReply());
    }

    private void RefuseOtherCluster(string cluster)
    {
        if (cluster != node.Cluster)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"this node belongs to cluster '{node.Cluster}', not '{cluster}'"));
    }
}
