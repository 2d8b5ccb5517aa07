using Galaxy.Console.Cluster;
using Galaxy.Console.Components;
using Galaxy.Console.Otlp;
using Galaxy.Console.SignIn;
using Galaxy.Console.Traces;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.OpenApi;
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
    builder.Services.AddApiDescription("console", "Galaxy console", "The traces that the cluster has sent.", new Dictionary<string, string>());
    builder.Services.AddSignIn();
    builder.Services.AddGrpc();
    builder.Services.AddRazorComponents().AddInteractiveServerComponents();
    builder.Services.AddFluentUIComponents();
    builder.Services.AddSingleton<TraceStore>();
    builder.Services.AddSingleton<ClusterReader>();
    // Within what retries: each attempt has a token of its own.
    builder.Services.AddHttpClient(ClusterReader.Client).AddHttpMessageHandler(services => new SigningHandler(services.GetRequiredService<ServiceTokens>()));

    var app = builder.Build();
    app.UseServiceDefaults();
    app.UseAntiforgery();
    app.MapDefaultEndpoints();
    app.MapOtlp();
    var described = app.Access(read: AccessRole.Operator, write: AccessRole.Operator);
    described.MapTraceApi();
    described.MapOpenApi();
    app.MapSignIn();
    app.MapStaticAssets().AllowAnonymous();
    app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    return app;
});
