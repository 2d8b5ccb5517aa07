using Galaxy.Contracts.Cluster;
using Galaxy.Coordinator.Gossip;
using Google.Protobuf;
using Grpc.Core;

namespace Galaxy.Coordinator.Cluster;

/// <summary>What gateways, routers and other services ask of this coordinator.</summary>
internal sealed class ClusterService(ClusterFeed feed, GossipNode gossip, GossipLoop loop, IHostApplicationLifetime lifetime, TimeProvider time)
    : Contracts.Cluster.Cluster.ClusterBase
{
    public override async Task Watch(WatchRequest request, IServerStreamWriter<Snapshot> responseStream, ServerCallContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            Snapshot? sent = null;
            while (true)
            {
                var next = feed.NextChange;
                var snapshot = feed.Snapshot();
                if (sent is null || !SaysTheSame(sent, snapshot))
                    await responseStream.WriteAsync(sent = snapshot, ends.Token);
                await next.WaitAsync(ends.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher left, or this node is stopping.
        }
    }

    // That somebody who was there is still there is no news.
    private static bool SaysTheSame(Snapshot sent, Snapshot now)
    {
        if (sent.Services.Count != now.Services.Count || sent.Devices.Count != now.Devices.Count)
            return false;
        var same = now.Clone();
        for (var i = 0; i < same.Services.Count; i++)
            same.Services[i].LastSeenUnixMs = sent.Services[i].LastSeenUnixMs;
        for (var i = 0; i < same.Devices.Count; i++)
            same.Devices[i].LastSeenUnixMs = sent.Devices[i].LastSeenUnixMs;
        return same.Equals(sent);
    }

    public override Task<AnnounceReply> Announce(Service request, ServerCallContext context)
    {
        if (request.Id.Length is 0 or > 128 || request.Kind.Length is 0 or > 32)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "id (1 to 128 characters) and kind (1 to 32) are required"));
        if (request.TtlMs is < 1000 or > 3_600_000)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "ttl_ms must be 1,000 to 3,600,000"));
        Announce(request);
        return Task.FromResult(new AnnounceReply());
    }

    // The time of the last announcement is written only every half TTL: a quiet cluster has nothing to gossip.
    private void Announce(Service service)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        service.LastSeenUnixMs = now;
        if (gossip.Get(Namespaces.Services, service.Id) is { } entry)
        {
            var known = Service.Parser.ParseFrom(entry.Value.Span);
            var fresh = now - known.LastSeenUnixMs < service.TtlMs / 2;
            known.LastSeenUnixMs = now;
            if (fresh && known.Equals(service))
                return;
        }
        gossip.Put(Namespaces.Services, service.Id, service.ToByteArray());
    }

    public override Task<WithdrawReply> Withdraw(WithdrawRequest request, ServerCallContext context)
    {
        gossip.Delete(Namespaces.Services, request.Id);
        return Task.FromResult(new WithdrawReply());
    }

    public override async Task<IntroduceReply> Introduce(IntroduceRequest request, ServerCallContext context)
    {
        if (!Uri.TryCreate(request.GrpcUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            return new IntroduceReply { Accepted = false, Reason = "grpc_url is not an address" };
        if (gossip.Members.OtherLive.Any(member => string.Equals(member.GrpcUrl, request.GrpcUrl, StringComparison.OrdinalIgnoreCase)))
            return new IntroduceReply { Accepted = true };
        var failure = await loop.IntroduceAsync(request.GrpcUrl, context.CancellationToken);
        return new IntroduceReply { Accepted = failure is null, Reason = failure?.Message ?? "" };
    }
}
