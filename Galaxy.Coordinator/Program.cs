using Galaxy.Coordinator;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    await builder.AddCoordinatorAsync();

    var app = builder.Build();
    app.Services.GetRequiredService<TermTrace>();
    app.UseServiceDefaults();
    app.UseLeaderErrors();
    app.UseWebSockets();
    app.MapDefaultEndpoints();
    app.MapClusterApi();
    app.MapFailoverApi();
    app.MapDeviceApi();
    app.MapTaskApi();
    app.MapGrpcService<ClusterService>();
    app.MapGrpcService<GossipService>();
    app.MapGrpcService<ElectionService>();
    app.MapGrpcService<FailoverManagerService>();
    return app;
});
