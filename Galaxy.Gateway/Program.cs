using Galaxy.Gateway.Balancing;
using Galaxy.Gateway.Documents;
using Galaxy.Gateway.Leadership;
using Galaxy.Gateway.Replay;
using Galaxy.Gateway.Routing;
using Galaxy.Gateway.Security;
using Galaxy.Gateway.Settings;
using Galaxy.Gateway.Telemetry;
using Galaxy.Gateway.Tls;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;

return await GalaxyApp.RunAsync(args, new ListenPort("WEB_UI_PORT", 8080), () =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("gateway");
    builder.AddGalaxyConfiguration();
    ListenPort[] doors = [new("WEB_UI_PORT", 8080), new("API_PORT", 8000), new("WEBSOCKET_PORT", 8765)];
    var tls = GatewayTls.Read(builder.Configuration, node);
    var addresses = builder.Listen(node, tls is null ? doors : [.. doors, tls]);
    var ports = new GatewayPorts(
        addresses.Ports[0],
        addresses.Ports[1],
        addresses.Ports[2],
        tls is null ? null : addresses.Ports[3]
    );

    // One line per request would drown everything else; requests are in the traces.
    builder.Logging.AddFilter("Yarp", LogLevel.Warning);
    builder.Logging.AddFilter("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogLevel.Error);
    builder.AddFrontDoor();
    builder.Services.AddSingleton(ports);
    builder.Services.AddClusterMember(
        new ServiceDescription(node.NodeId, "gateway", "gateway", () => addresses.Url(1), [])
    );
    // The gateway accepts no service token from outside: a captured token cannot be used here.
    builder.Services.AddSingleton(services => new CallerIdentifier(
        node,
        services.GetRequiredService<ServiceTokens>(),
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<IAccessDirectory>()
    )
    {
        TakesTokens = false,
    });
    builder
        .Services.AddReverseProxy()
        .LoadFromMemory([], [])
        // Headers are UTF-8 on both sides, as Kestrel reads them: what a client or a service sent can be passed on.
        .ConfigureHttpClient(
            (_, handler) =>
            {
                handler.RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8;
                handler.ResponseHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8;
            }
        )
        .AddTransforms(transforms =>
        {
            transforms.AddLeaderBackstop();
            transforms.AddVouching(transforms.Services.GetRequiredService<ServiceTokens>());
        });
    builder.Services.AddSingleton<ILoadBalancingPolicy>(services => new SlowStart(
        services.GetRequiredService<IOptionsMonitor<GatewayOptions>>(),
        TimeProvider.System,
        Random.Shared
    ));
    builder.Services.AddSingleton<IPassiveHealthCheckPolicy, OutlierEjection>();
    builder.Services.AddHealthChecks().AddCheck<LeaderKnown>("leader");
    // UseCallers checks access.
    builder.Services.Configure<RouteOptions>(routes => routes.SuppressCheckForUnhandledSecurityMetadata = true);
    builder.Services.AddDocuments();
    builder.Services.AddHostedService<LeaderFollower>();
    builder.Services.AddSingleton<LeaderSockets>();
    builder.Services.AddHostedService(services => services.GetRequiredService<LeaderSockets>());
    builder.Services.AddSingleton<LeaderHold>();
    builder.Services.AddSingleton<KeptBodies>();
    builder.Services.AddSingleton<Replayer>();
    builder.Services.AddSingleton<GatewayMetrics>();

    var app = builder.Build();
    app.UseFrontDoor();
    app.UsePortRules(ports);
    app.UseRouting();
    app.UseExceptionHandler();
    // The answers of services are passed on unchanged; status pages are for requests that no service answers.
    app.UseWhen(
        context => context.GetEndpoint()?.Metadata.GetMetadata<Yarp.ReverseProxy.Model.RouteModel>() is null,
        own => own.UseStatusCodePages()
    );
    app.UseCallers();
    app.MapDefaultEndpoints();
    app.MapDocuments();
    app.MapReverseProxy(proxy =>
    {
        proxy.UseProxyErrors();
        proxy.UseSessionAffinity();
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
        var sockets = proxy.ApplicationServices.GetRequiredService<LeaderSockets>();
        proxy.Use(next => context => sockets.ForwardAsync(context, next));
    });
    return app;
});
