using Galaxy.Coordinator.Access;
using Galaxy.Coordinator.Audit;
using Galaxy.Coordinator.Backup;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Commands;
using Galaxy.Coordinator.Configuration;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Groups;
using Galaxy.Coordinator.Grpc;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;
using Galaxy.Coordinator.WebSockets;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Galaxy.Coordinator.Hosting;

/// <summary>What a coordinator is made of.</summary>
internal static class CoordinatorExtensions
{
    /// <summary>A coordinator without what belongs to the process: signals, telemetry, the rehearsal itself.</summary>
    /// <param name="stores">The connections of another coordinator; null: they are registered already.</param>
    public static void AddCoordinator(this WebApplicationBuilder builder, NodeOptions node, RedisStores? stores)
    {
        builder.Listen(node, new ListenPort("HTTP_PORT", 8071), new ListenPort("GRPC_PORT", 9071, HttpProtocols.Http2));
        var services = builder.Services;
        services.AddGrpc(options => options.MaxReceiveMessageSize = 16 * 1024 * 1024);
        services.AddApiDescription();
        if (stores is not null)
            services.AddSingleton(stores);
        services.AddSingleton<Identity>();
        services.AddSingleton(_ => StateFolder.Open(node));
        services.AddSingleton<Quarantine>();
        services.AddSingleton<StoreShape>();
        services.AddSingleton<IStoredRecords>(provider => provider.GetRequiredService<StoreShape>());
        services.AddSingleton<StateJournal>();
        services.AddSingleton<Membership>();
        services.AddSingleton<ReplicatedState>();
        services.AddSingleton<PeerSummaries>();
        services.AddSingleton<PeerTraffic>();
        services.AddSingleton<PeerStreams>();
        services.AddSingleton<PeerExchange>();
        services.AddSingleton<NameGuard>();
        services.AddSingleton<StateFeed>();
        services.AddSingleton<ConfigSecrets>();
        services.AddSingleton<ConfigCatalog>();
        services.AddSingleton(builder.AddGalaxyConfigurationSource());
        services.AddLoop<OwnConfiguration>();
        services.AddLoop<SecretSealer>();
        services.AddSingleton<AccessKeys>();
        services.AddSingleton<IAccessDirectory>(provider => provider.GetRequiredService<AccessKeys>());
        services.AddSingleton<JoinTokens>();
        services.AddSingleton<IStoredRecords>(provider => provider.GetRequiredService<JoinTokens>());
        services.AddLoop<AuditLog>();
        services.AddSingleton<LeaseStore>();
        services.AddSingleton<LeaderProbe>();
        services.AddSingleton<TokenFile>();
        services.AddSingleton<FencedStores>();
        services.AddSingleton<FencedWriter>();
        services.AddSingleton<ILeadership>(provider => provider.GetRequiredService<Elector>());
        services.AddSingleton<FailoverStore>();
        services.AddSingleton<FailoverManager>();
        services.AddSingleton<Handover>();
        services.AddSingleton<PeerBreakers>();
        services.AddSingleton<TermTrace>();
        services.AddSingleton<FailoverTracker>();
        services.AddSingleton<FailoverLog>();
        services.AddSingleton<IStoredRecords>(provider => provider.GetRequiredService<FailoverLog>());
        services.AddSingleton<TaskRecords>();
        services.AddSingleton<IStoredRecords>(provider => provider.GetRequiredService<TaskRecords>());
        services.AddHostedService(provider => provider.GetRequiredService<TaskRecords>());
        services.AddSingleton<ClusterFeed>();
        services.AddSingleton<DeviceRegistry>();
        services.AddSingleton<DeviceHub>();
        services.AddSingleton<DeviceConfig>();
        services.AddSingleton<SocketDoor>();
        services.AddSingleton<ChatRelay>();
        services.AddSingleton<DeviceSocket>();
        services.AddSingleton<StatusSocket>();
        services.AddSingleton<TaskStore>();
        services.AddSingleton<TaskFeed>();
        services.AddSingleton<TaskSubmitter>();
        services.AddSingleton<CommandRunner>();
        services.AddSingleton<GroupRegistry>();
        services.AddSingleton<Backups>();
        services.AddHealthChecks().AddCheck<LeaderHealth>("leader");

        // Stopped in reverse: the lease is given up first, gossip says goodbye, the state is closed last.
        services.AddLoop<StateKeeper>();
        services.AddLoop<RumorSpreader>();
        services.AddLoop<AntiEntropy>();
        services.AddLoop<FailureDetector>();
        services.AddLoop<GossipLoop>();
        services.AddLoop<DiscoveryWatch>();
        services.AddLoop<AddressFollower>();
        services.AddLoop<TaskEngine>();
        services.AddLoop<DevicePresence>();
        services.AddLoop<CallbackSender>();
        services.AddLoop<LeaderDuties>();
        services.AddLoop<StoreRepair>();
        services.AddLoop<Failover.HealthChecks>();
        services.AddLoop<Candidacy>();
        services.AddLoop<RecoveryWatch>();
        services.AddLoop<LeaderLink>();
        services.AddLoop<Elector>();
    }

    public static void UseCoordinator(this WebApplication app)
    {
        app.Services.GetRequiredService<TermTrace>();
        app.UseServiceDefaults();
        app.UseLeaderErrors();
        app.UseWebSockets();
        app.MapDefaultEndpoints();
        // The role that reads need there, and the role that changes need.
        var members = app.Access(read: AccessRole.Member, write: AccessRole.Client);
        members.MapClusterApi();
        members.MapStatusApi();
        members.MapTaskApi();
        members.MapQuarantineApi();
        members.MapDeviceApi();
        members.MapSockets();
        members.MapOpenApi();
        var clients = app.Access(read: AccessRole.Client, write: AccessRole.Client);
        clients.MapCommandApi();
        clients.MapWatchApi();
        var operators = app.Access(read: AccessRole.Client, write: AccessRole.Operator);
        operators.MapGroupApi();
        operators.MapFailoverApi();
        operators.MapStateApi();
        operators.MapConflictApi();
        operators.MapSyncApi();
        operators.MapAuditApi();
        var admins = app.Access(read: AccessRole.Operator, write: AccessRole.Admin);
        admins.MapSnapshotApi();
        admins.MapConfigApi();
        admins.MapAccessApi();
        app.Access(read: AccessRole.Admin, write: AccessRole.Admin).MapBackupApi();
        app.MapGrpcService<ClusterService>();
        app.MapGrpcService<GossipService>();
        app.MapGrpcService<ElectionService>();
        app.MapGrpcService<FailoverManagerService>();
    }

    /// <summary>A background loop that others may ask for, too.</summary>
    public static void AddLoop<T>(this IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }

    /// <summary>Healthy: a leader is known. Degraded: not now, which reads survive.</summary>
    private sealed class LeaderHealth(Elector elector) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                elector.Leader is { } leader
                    ? HealthCheckResult.Healthy($"{leader.Holder} leads under token {leader.Token}")
                    : HealthCheckResult.Degraded("no leader is known")
            );
    }
}
