using Galaxy.Discovery.Announce;
using Galaxy.Discovery.Api;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Mdns;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Registry;
using Galaxy.Discovery.Roads;
using Galaxy.Discovery.Seeds;
using Galaxy.Discovery.Ssdp;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.OpenApi;
using Galaxy.ServiceDefaults.Store;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Galaxy.Discovery;

internal static class DiscoveryExtensions
{
    /// <summary>The label of this service in the cluster's registry that says where coordinators watch it.</summary>
    private const string GrpcLabel = "grpc_url";

    /// <summary>Where a coordinator of this machine is when nothing is configured.</summary>
    private const string LocalCoordinator = "http://127.0.0.1:9071";

    public static void AddDiscovery(this WebApplicationBuilder builder)
    {
        var node = builder.AddServiceDefaults("discovery");
        builder.AddGalaxyConfiguration();
        if (CoordinatorDirectory.Read(builder.Configuration, node with { Seeds = [] }).Count == 0)
            builder.Configuration["GALAXY_COORDINATORS"] = LocalCoordinator;
        var addresses = builder.Listen(
            node,
            new ListenPort("HTTP_PORT", 8037),
            new ListenPort("GRPC_PORT", 9037, HttpProtocols.Http2)
        );
        var services = builder.Services;
        services.AddGrpc();
        services.AddApiDescription(
            "discovery",
            "Galaxy discovery",
            "Who else is in the network: what was found by broadcast, mDNS and SSDP.",
            new Dictionary<string, string>()
        );
        if (RedisStore.IsConfigured(builder.Configuration))
            builder.AddRedisStores(withUrgent: false);
        services.AddSingleton(provider => new RegistryStores(provider.GetService<RedisStores>()));
        services.AddSingleton<Trust>();
        services.AddSingleton<Receiver>();
        services.AddSingleton<DescriptionReader>();
        // Stopped in reverse: the discovery sources send goodbyes from the last view of the watchers.
        AddLoop<LinkWatcher>(services);
        AddLoop<LocalNodes>(services);
        AddLoop<PeerTable>(services);
        AddRoad<MdnsRoad>(services);
        AddRoad<AnnounceRoad>(services);
        AddRoad<SsdpRoad>(services);
        AddRoad<SeedRoad>(services);
        AddRoad<RegistryRoad>(services);
        services.AddClusterMember(
            new ServiceDescription(
                node.NodeId,
                "discovery",
                "kernel",
                () => addresses.Url(0),
                [
                    new(
                        "discovery",
                        "The machines that were seen on this network, by which road and how far they are trusted.",
                        "GET",
                        "/api/v1/discovery/nodes",
                        """{"type":"object","additionalProperties":false}"""
                    ),
                ]
            )
            {
                Labels = () => new Dictionary<string, string> { [GrpcLabel] = addresses.Url(1) },
            }
        );
    }

    public static void UseDiscovery(this WebApplication app)
    {
        app.UseServiceDefaults();
        app.MapDefaultEndpoints();
        var described = app.Access(read: AccessRole.Client, write: AccessRole.Operator);
        described.MapDiscoveryApi();
        described.MapOpenApi();
        app.MapGrpcService<WatchService>();
    }

    private static void AddRoad<T>(IServiceCollection services)
        where T : class, IRoad, IHostedService
    {
        AddLoop<T>(services);
        services.AddSingleton<IRoad>(provider => provider.GetRequiredService<T>());
    }

    private static void AddLoop<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
