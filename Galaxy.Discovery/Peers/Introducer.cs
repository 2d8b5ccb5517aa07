using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;

namespace Galaxy.Discovery.Peers;

/// <summary>Hands trusted coordinators of our cluster to the local coordinator, which checks for itself; forgets the silent.</summary>
internal sealed partial class Introducer(
    PeerTable peers, LocalNodes local, CoordinatorChannels channels, NodeOptions node, TimeProvider time, ILogger<Introducer> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            peers.ForgetSilent();
            foreach (var peer in peers.All.Where(peer => peer.Trust == "trusted" && peer.Cluster == node.Cluster && peer.GrpcUrl.Length > 0 && !local.Contains(peer.NodeId)))
                await IntroduceAsync(peer);
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task IntroduceAsync(Peer peer)
    {
        if (local.Current is not [var own, ..])
            return;
        try
        {
            await channels.Cluster(own.GrpcUrl).IntroduceAsync(
                new IntroduceRequest { NodeId = peer.NodeId, Url = peer.Url, GrpcUrl = peer.GrpcUrl }, deadline: time.GetUtcNow().UtcDateTime.AddSeconds(2));
        }
        catch (RpcException failure)
        {
            LogFailed(peer.NodeId, failure.Status.Detail);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Peer} could not be introduced: {Reason}")]
    private partial void LogFailed(string peer, string reason);
}
