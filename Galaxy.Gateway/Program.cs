using Galaxy.Gateway.Leadership;
using Galaxy.Gateway.Replay;
using Galaxy.Gateway.Routing;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("gateway");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node, new ListenPort("WEB_UI_PORT", 8080), new ListenPort("API_PORT", 8000), new ListenPort("WEBSOCKET_PORT", 8765));
    var ports = new GatewayPorts(addresses.Ports[0], addresses.Ports[1], addresses.Ports[2]);

    // One line per request would drown everything else; requests are in the traces.
    builder.Logging.AddFilter("Yarp", LogLevel.Warning);
    builder.Logging.AddFilter("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogLevel.Error);
    // A thousand requests that wait for a leader may hold 64 MiB of bodies that nobody has read yet.
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBufferSize = 64 * 1024);
    builder.Services.AddSingleton(ports);
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "gateway", "gateway", () => addresses.Url(1), []));
    builder.Services.AddReverseProxy().LoadFromMemory([], []).AddTransforms(transforms => transforms.AddLeaderBackstop());
    builder.Services.AddHostedService<LeaderFollower>();
    builder.Services.AddSingleton<LeaderHold>();
    builder.Services.AddSingleton<KeptBodies>();
    builder.Services.AddSingleton<Replayer>();

    var app = builder.Build();
    app.UsePortRules(ports);
    app.UseRouting();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapReverseProxy(proxy =>
    {
        proxy.UseProxyErrors();
        proxy.UseSessionAffinity();
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
    });
    return app;
});
