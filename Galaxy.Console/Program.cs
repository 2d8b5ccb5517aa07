using Galaxy.Console;
using Galaxy.Console.Components;
using Galaxy.Console.Logs;
using Galaxy.Console.Metrics;
using Galaxy.Console.Receivers;
using Galaxy.Console.Resources;
using Galaxy.Console.SignIn;
using Galaxy.Console.Traces;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.OpenApi;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.FluentUI.AspNetCore.Components;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8090), () =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("console");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(
        node,
        new ListenPort("HTTP_PORT", 8090),
        new ListenPort("OTLP_GRPC_PORT", 4317, HttpProtocols.Http2),
        new ListenPort("OTLP_HTTP_PORT", 4318)
    );
    builder.Services.AddClusterMember(
        new ServiceDescription(
            node.NodeId,
            "console",
            "gateway",
            () => addresses.Url(0),
            [
                new(
                    "traces",
                    "The latest traces of the cluster: what took how long, where.",
                    "GET",
                    "/api/v1/traces",
                    """{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":"""
                        + """1000},"service":{"type":"string"}},"additionalProperties":false}"""
                ),
                new(
                    "logs",
                    "The latest log records of the cluster.",
                    "GET",
                    "/api/v1/logs",
                    """{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":1000},"level":{"enum":["trace","debug","info","warn","error","fatal"]},"service":{"type":"string"},"text":{"type":"string"}},"additionalProperties":false}"""
                ),
            ]
        )
    );
    builder.Services.AddApiDescription(
        "console",
        "Galaxy console",
        "Traces, logs and metrics that were sent here, and the processes of this machine.",
        new Dictionary<string, string>()
    );
    builder.AddSignIn(node);
    builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = 16 * 1024 * 1024);
    // No page of the console may be shown in a frame; the gateway sends the header for it, once.
    builder.Services.AddAntiforgery(options => options.SuppressXFrameOptionsHeader = true);
    builder
        .Services.AddRazorComponents()
        .AddInteractiveServerComponents(circuits =>
        {
            // Long enough for a line that was cut or a gateway that was restarted; a page that was closed is not kept
            // for minutes.
            circuits.DisconnectedCircuitMaxRetained = 10;
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(1);
        });
    builder.Services.AddFluentUIComponents();
    builder.Services.AddTelemetryStores();
    builder.Services.AddPages();

    var app = builder.Build();
    app.UseServiceDefaults();
    app.UseAntiforgery();
    app.MapDefaultEndpoints();
    app.MapOtlp();
    var described = app.Access(read: AccessRole.Operator, write: AccessRole.Operator);
    described.MapTraceApi();
    described.MapLogApi();
    described.MapMetricApi();
    described.MapResourceApi();
    described.MapOpenApi();
    app.MapSignIn();
    app.MapStaticAssets().AllowAnonymous();
    app.MapRazorComponents<App>()
        .AddInteractiveServerRenderMode(mode => mode.ContentSecurityFrameAncestorsPolicy = "'none'");
    return app;
});
