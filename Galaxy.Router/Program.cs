using Galaxy.Router;
using Galaxy.Router.Health;
using Galaxy.Router.Invocation;
using Galaxy.Router.Registration;
using Galaxy.Router.Routing;
using Galaxy.Router.Tools;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Health;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8004), () =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("router");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node, new ListenPort("HTTP_PORT", 8004));
    builder.Services.AddClusterMember(
        new ServiceDescription(
            node.NodeId,
            "router",
            "kernel",
            () => addresses.Url(0),
            [
                new(
                    "nodes",
                    "Everybody in the cluster: coordinators, services and devices, with their state, load "
                        + "and what they can do.",
                    "GET",
                    "/nodes",
                    """{"type":"object","properties":{"layer":{"enum":"""
                        + """["kernel","gateway","tools","physical"]},"capability":"""
                        + """{"type":"string"}},"additionalProperties":false}"""
                ),
            ]
        )
    );
    builder.Services.AddRouter();

    var app = builder.Build();
    app.UseReadiness();
    app.UseRouteFastPath();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    var members = app.Access(read: AccessRole.Member, write: AccessRole.Worker);
    members.MapRouteApi();
    members.MapRegistrationApi();
    members.MapHealthApi();
    members.MapOpenApi();
    var clients = app.Access(read: AccessRole.Client, write: AccessRole.Client);
    clients.MapInvokeApi();
    clients.MapToolApi();
    clients.MapMcp("/mcp").Needs(AccessRole.Client);
    return app;
});
