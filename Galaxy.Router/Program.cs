using Galaxy.Router.Registration;
using Galaxy.Router.Routing;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("router");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node, new ListenPort("HTTP_PORT", 8004));
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "router", "kernel", () => addresses.Url(0), ["route", "discover"]));
    builder.Services.AddHostedService<LeaderTrace>();

    var app = builder.Build();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapRouterApi();
    app.MapRegistrationApi();
    return app;
});
