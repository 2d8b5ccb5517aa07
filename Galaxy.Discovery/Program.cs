using Galaxy.Discovery.Announce;
using Galaxy.Discovery.Api;
using Galaxy.Discovery.Mdns;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("discovery");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node, new ListenPort("HTTP_PORT", 8037));
    builder.Services.AddSingleton(addresses);
    builder.Services.AddSingleton<LocalNodes>();
    builder.Services.AddSingleton<PeerTable>();
    builder.Services.AddSingleton<Trust>();
    AddRoad<AnnounceRoad>();
    AddRoad<MdnsRoad>();
    AddRoad<SsdpRoad>();
    builder.Services.AddHostedService<Introducer>();
    // Stopped before the roads, which still need to know whom to say goodbye for: its last view stays.
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "discovery", "kernel", addresses.Url(0), ["discovery"]));

    var app = builder.Build();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapDiscoveryApi();
    return app;

    void AddRoad<T>()
        where T : Road
    {
        builder.Services.AddSingleton<T>();
        builder.Services.AddSingleton<Road>(services => services.GetRequiredService<T>());
        builder.Services.AddHostedService(services => services.GetRequiredService<T>());
    }
});
