using Galaxy.Console.Cluster;
using Galaxy.Console.Components;
using Galaxy.Console.Otlp;
using Galaxy.Console.SignIn;
using Galaxy.Console.Traces;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.FluentUI.AspNetCore.Components;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("console");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node,
        new ListenPort("HTTP_PORT", 8090), new ListenPort("OTLP_GRPC_PORT", 4317, HttpProtocols.Http2), new ListenPort("OTLP_HTTP_PORT", 4318));
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "console", "gateway", () => addresses.Url(0), 
    [
        new("traces", "The latest traces of the cluster: what took how long, where.", "GET", "/api/v1/traces",
            """{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":1000},"service":{"type":"string"}},"additionalProperties":false}"""),
    ]));
    builder.Services.AddSignIn();
    builder.Services.AddGrpc();
    builder.Services.AddRazorComponents().AddInteractiveServerComponents();
    builder.Services.AddFluentUIComponents();
    builder.Services.AddSingleton<TraceStore>();
    builder.Services.AddSingleton<ClusterReader>();

    var app = builder.Build();
    app.UseServiceDefaults();
    app.UseAntiforgery();
    app.MapDefaultEndpoints();
    app.MapOtlp();
    app.MapTraceApi();
    app.MapSignIn();
    app.MapStaticAssets().AllowAnonymous();
    app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    return app;
});
