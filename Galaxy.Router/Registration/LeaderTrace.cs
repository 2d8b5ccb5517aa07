using System.Diagnostics;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Router.Registration;

/// <summary>
/// Adds this router's part to the trace of each failover: the moment at which its table follows the new leader.
/// </summary>
internal sealed class LeaderTrace(ClusterWatcher watcher) : BackgroundService
{
    private static readonly ActivitySource Source = new("Galaxy.Router");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long token = 0;
        await foreach (var view in watcher.Changes(stoppingToken))
        {
            if (view.UsableLeader is not { } leader || leader.Token <= token)
                continue;
            token = leader.Token;
            using var activity = Source.Start("router switch", ActivityKind.Internal, leader.Traceparent);
            activity?.SetTag("galaxy.leader", leader.NodeId);
            activity?.SetTag("galaxy.token", leader.Token);
        }
    }
}
