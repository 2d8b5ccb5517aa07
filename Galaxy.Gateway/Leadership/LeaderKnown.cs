using Galaxy.ServiceDefaults.Cluster;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Galaxy.Gateway.Leadership;

/// <summary>
/// Ready: a leader can be reached, which has the store. Degraded: none at the moment, so that requests wait.
/// </summary>
internal sealed class LeaderKnown(ClusterWatcher watcher) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            watcher.Current switch
            {
                { UsableLeader: { } leader } => HealthCheckResult.Healthy(
                    $"{leader.NodeId} leads under token {leader.Token}"
                ),
                { Reachable.IsEmpty: true } => HealthCheckResult.Unhealthy("no coordinator can be reached"),
                _ => HealthCheckResult.Degraded("there is no leader at the moment"),
            }
        );
}
