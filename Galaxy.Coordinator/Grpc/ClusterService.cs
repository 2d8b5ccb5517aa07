using Galaxy.Contracts.Cluster;
using Galaxy.Coordinator.Audit;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Configuration;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Storage;
using Google.Protobuf;
using Grpc.Core;

namespace Galaxy.Coordinator.Grpc;

/// <summary>What gateways, routers and other services ask of this coordinator.</summary>
internal sealed class ClusterService(
    ClusterFeed feed,
    ReplicatedState replica,
    ConfigCatalog catalog,
    StateFeed state,
    AuditLog audit,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    Quarantine quarantine
) : Contracts.Cluster.Cluster.ClusterBase
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(15);
    private const int LongestBurst = 6;

    public override async Task Watch(
        WatchRequest request,
        IServerStreamWriter<Snapshot> responseStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        try
        {
            FeedSnapshot? sent = null;
            var postponed = 0;
            while (true)
            {
                var next = feed.NextChange;
                var snapshot = feed.Snapshot();
                if (sent is null || !snapshot.SaysTheSameAs(sent))
                {
                    // A new leader is told at once. The rest comes in bursts, each of which is one message.
                    if (
                        sent is not null
                        && snapshot.HasTheLeaderOf(sent)
                        && postponed++ < LongestBurst
                        && await ChangesAgainAsync(next, ends.Token)
                    )
                        continue;
                    postponed = 0;
                    await responseStream.WriteAsync(snapshot.Full, ends.Token);
                    sent = snapshot;
                }
                await next.WaitAsync(ends.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher left, or this node is stopping.
        }
    }

    public override async Task WatchConfig(
        WatchConfigRequest request,
        IServerStreamWriter<ConfigSnapshot> responseStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        try
        {
            await foreach (var documents in OwnConfiguration.Follow(catalog, state, request.NodeId, ends.Token))
            {
                var snapshot = new ConfigSnapshot();
                snapshot.Documents.AddRange(
                    documents
                        .Where(document => document.Json is not null)
                        .Select(document => new Contracts.Cluster.ConfigDocument
                        {
                            Name = document.Document.Name,
                            Json = ByteString.CopyFromUtf8(document.Json!.ToJsonString()),
                        })
                );
                await responseStream.WriteAsync(snapshot, ends.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher left, or this node is stopping.
        }
    }

    private static async Task<bool> ChangesAgainAsync(Task next, CancellationToken ends)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ends);
        patience.CancelAfter(Burst);
        await next.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ends.ThrowIfCancellationRequested();
        return next.IsCompleted;
    }

    public override Task<AnnounceReply> Announce(Service request, ServerCallContext context)
    {
        if (request.Id.Length is 0 or > 128 || request.Kind.Length is 0 or > 32)
            throw new RpcException(
                new Status(StatusCode.InvalidArgument, "id (1 to 128 characters) and kind (1 to 32) are required")
            );
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
        // One that cannot be read is replaced.
        if (
            replica.Get(Namespaces.Services, service.Id) is { } entry
            && quarantine.Parse(entry, Service.Parser) is { } known
        )
        {
            var fresh = now - known.LastSeenUnixMs < service.TtlMs / 2;
            known.LastSeenUnixMs = now;
            if (fresh && known.Equals(service))
                return;
        }
        replica.Put(Namespaces.Services, service.Id, service.ToByteArray());
    }

    public override Task<AuditReply> Audit(AuditEntry request, ServerCallContext context)
    {
        if (request.Who.Length is 0 or > 200 || request.What.Length is 0 or > 400)
            throw new RpcException(
                new Status(StatusCode.InvalidArgument, "who (1 to 200 characters) and what (1 to 400) are required")
            );
        audit.Add(request);
        return Task.FromResult(new AuditReply());
    }

    public override Task<WithdrawReply> Withdraw(WithdrawRequest request, ServerCallContext context)
    {
        replica.Delete(Namespaces.Services, request.Id);
        return Task.FromResult(new WithdrawReply());
    }
}
