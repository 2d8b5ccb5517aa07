using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Clocks;
using Galaxy.Core.Election;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Grpc;

/// <summary>The passive side of gossip.</summary>
internal sealed class GossipService(
    Membership membership,
    ReplicatedState replica,
    PeerStreams streams,
    NameGuard names,
    RumorSpreader rumors,
    PeerSummaries peers,
    Elector elector,
    NodeOptions node,
    IHostApplicationLifetime lifetime,
    TimeProvider time
) : Wire.Gossip.GossipBase
{
    private const int MaxTold = 16;
    private const int MaxReplyBytes = 2 * 1024 * 1024;

    public override async Task Converse(
        IAsyncStreamReader<Wire.Frame> requestStream,
        IServerStreamWriter<Wire.Frame> responseStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        await streams.AcceptAsync(requestStream, responseStream, ends.Token);
    }

    public override async Task<Wire.ExchangeReply> Exchange(Wire.ExchangeRequest request, ServerCallContext context)
    {
        RefuseOtherCluster(request.Cluster);
        if (request.From.FromWire() is { } sender && await names.RefusalAsync(sender) is { } refusal)
            throw new RpcException(new Status(StatusCode.AlreadyExists, refusal));
        membership.Merge(request.Members.Append(request.From).ToClaims());
        elector.Post(new ElectionInput.TokenSeen(request.MaxToken));

        var summary = request.Summary.ToVector();
        if (request.From is { } from)
            peers.Heard(from.NodeId, from.Boot, request.Origin, summary);
        var delta = replica.DeltaFor(summary, request.Digest == 0 ? null : request.Digest, MaxReplyBytes);
        var members = membership.Members;
        var reply = new Wire.ExchangeReply
        {
            From = members.SelfMember.ToWire(),
            Lease = elector.Leader.ToWire(),
            MaxToken = elector.MaxToken,
            Incomplete = delta is null,
            ClockUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        reply.Members.AddRange(members.Claims.Select(claim => claim.ToWire()));
        if (delta is null)
            return reply;
        reply.Summary.AddRange(delta.Reaches.Dots.Select(dot => dot.ToWire()));
        reply.Delta.AddRange(delta.Entries.Select(entry => entry.ToWire()));
        // Without entries nothing needs it.
        if (delta.Entries.Count > 0)
            reply.Pruned.AddRange(delta.Pruned.Dots.Select(dot => dot.ToWire()));
        return reply;
    }

    public override async Task<Wire.PushReply> Rumors(
        IAsyncStreamReader<Wire.PushRequest> requestStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        while (await requestStream.MoveNext(ends.Token))
            Hear(requestStream.Current);
        return new Wire.PushReply();
    }

    public override Task<Wire.PushReply> Push(Wire.PushRequest request, ServerCallContext context)
    {
        Hear(request);
        return Task.FromResult(new Wire.PushReply());
    }

    private void Hear(Wire.PushRequest request)
    {
        RefuseOtherCluster(request.Cluster);
        var entries = request.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>().ToList();
        var news = replica.Apply(new Delta(entries, VersionVector.Empty, request.Pruned.ToVector()));
        var fresh = news.Select(entry => (entry.Namespace, entry.Key)).ToHashSet();
        rumors.Heard(
            news,
            [.. entries.Where(entry => !fresh.Contains((entry.Namespace, entry.Key)))],
            (int)Math.Min(request.Hops, 1000),
            [request.From, .. request.Told.Take(MaxTold)]
        );
    }

    public override async Task Everything(
        Wire.EverythingRequest request,
        IServerStreamWriter<Wire.EverythingPart> responseStream,
        ServerCallContext context
    )
    {
        RefuseOtherCluster(request.Cluster);
        var (entries, summary, pruned) = replica.Everything();
        var part = new Wire.EverythingPart();
        var size = 0;
        foreach (var entry in entries)
        {
            part.Entries.Add(entry.ToWire());
            size += entry.ApproximateSize;
            if (size < MaxReplyBytes)
                continue;
            await responseStream.WriteAsync(part, context.CancellationToken);
            (part, size) = (new Wire.EverythingPart(), 0);
        }
        part.Last = true;
        part.Summary.AddRange(summary.Dots.Select(dot => dot.ToWire()));
        part.Pruned.AddRange(pruned.Dots.Select(dot => dot.ToWire()));
        await responseStream.WriteAsync(part, context.CancellationToken);
    }

    private void RefuseOtherCluster(string cluster)
    {
        if (cluster != node.Cluster)
            throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"this node belongs to cluster '{node.Cluster}', not '{cluster}'"
                )
            );
    }
}
