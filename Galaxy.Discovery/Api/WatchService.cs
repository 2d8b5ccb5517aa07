using Galaxy.Contracts.Discovery;
using Galaxy.Discovery.Peers;
using Grpc.Core;

namespace Galaxy.Discovery.Api;

/// <summary>Tells coordinators which nodes this machine sees; the coordinators verify them before they join.</summary>
internal sealed class WatchService(PeerTable peers, TimeProvider time, IHostApplicationLifetime lifetime)
    : Contracts.Discovery.Discovery.DiscoveryBase
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    public override async Task Watch(
        WatchRequest request,
        IServerStreamWriter<Found> responseStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        try
        {
            long told = -1;
            var happened = peers.Events(ends.Token).GetAsyncEnumerator(ends.Token);
            await using (happened.ConfigureAwait(false))
            {
                var next = happened.MoveNextAsync().AsTask();
                while (true)
                {
                    if (peers.Version != told)
                    {
                        told = peers.Version;
                        await responseStream.WriteAsync(Snapshot(), ends.Token);
                        // Many changes at once make one snapshot.
                        await Task.Delay(Least, time, ends.Token);
                    }
                    if (!await next)
                        return;
                    next = happened.MoveNextAsync().AsTask();
                }
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The reader left, or this process is stopping.
        }
    }

    private Found Snapshot()
    {
        var found = new Found();
        foreach (var peer in peers.All)
        {
            var node = new FoundNode
            {
                NodeId = peer.NodeId,
                Cluster = peer.Cluster,
                Role = peer.Role,
                Url = peer.Url,
                GrpcUrl = peer.GrpcUrl,
                Trust = PeerView.Name(peer.Trust),
            };
            node.Roads.AddRange(peer.Roads.Keys);
            found.Nodes.Add(node);
        }
        return found;
    }
}
