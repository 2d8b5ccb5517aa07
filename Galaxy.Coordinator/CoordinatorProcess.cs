using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Hosting;
using Galaxy.Coordinator.Rehearsal;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;

namespace Galaxy.Coordinator;

/// <summary>A coordinator with what belongs to its process: stores, signals, telemetry, rehearsals.</summary>
internal static class CoordinatorProcess
{
    /// <exception cref="SettingException">A setting is not allowed.</exception>
    public static void AddCoordinatorProcess(this WebApplicationBuilder builder)
    {
        var node = builder.AddServiceDefaults("coordinator");
        if (node.Role == NodeRole.Worker)
            throw new SettingException(
                "Galaxy_NODE_ROLE",
                "worker",
                "coordinator or standby for this program; a worker is started with 'galaxy worker'"
            );
        builder.AddRedisStores(withUrgent: true);
        builder.AddCoordinator(node, null);
        builder.Services.AddSingleton<IHostLifetime, GracefulLifetime>();
        builder.Services.AddLoop<StoreWatch>();
        builder.Services.AddHealthChecks().AddCheck<StoreWatch>("stores");
        builder.Services.AddLoop<RehearsalService>();
    }
}
