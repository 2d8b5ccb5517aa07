using System.Diagnostics;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Galaxy.ServiceDefaults.Telemetry;

/// <summary>
/// Traces, metrics and logs by OpenTelemetry; exported to the <see cref="TelemetryTargets"/>; metrics also at
/// <c>/metrics</c>.
/// </summary>
public static class TelemetryExtensions
{
    // Heartbeats of the system itself: true on every second of every day, and of no interest in a trace list.
    private static readonly string[] Quiet =
    [
        "/alive",
        "/health",
        "/metrics",
        "/galaxy.gossip.v1.Gossip/",
        "/galaxy.cluster.v1.Cluster/",
        "/galaxy.election.v1.Election/",
        "/opentelemetry.proto.collector",
        "/_blazor",
        "/_framework",
        "/_content",
        "/v1/traces",
        "/v1/logs",
        "/v1/metrics",
    ];

    private static readonly string[] StaticFiles = [".css", ".js", ".svg", ".ico", ".map", ".woff2"];

    // As OpenTelemetry.Exporter.OpenTelemetryProtocol names the clients that it asks IHttpClientFactory for.
    private static readonly string[] ExporterClients = ["OtlpTraceExporter", "OtlpMetricExporter", "OtlpLogExporter"];

    public static void AddTelemetry(this IHostApplicationBuilder builder, NodeOptions node, string defaultName)
    {
        var name = builder.Configuration["OTEL_SERVICE_NAME"] ?? defaultName;
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource
                    .AddService(name, serviceInstanceId: node.NodeId)
                    // An orchestrator that names the instance finds its telemetry by that name.
                    .AddEnvironmentVariableDetector()
                    .AddAttributes([new("galaxy.cluster", node.Cluster)])
            )
            .WithTracing(tracing => tracing.AddSource("Galaxy.*"));
        telemetry.WithMetrics(metrics =>
            metrics
                // Of the framework's, those that a person would look at: each costs something for every request.
                .AddMeter("Galaxy.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter()
        );
        // Spans of requests that go nowhere would cost a tenth of a small one. The trace context passes through all the
        // same.
        if (TelemetryTargets.Read(builder.Configuration) is not { Count: > 0 } targets)
            return;
        telemetry.WithTracing(tracing =>
            tracing
                .AddProcessor<UnobservedSpans>()
                .AddAspNetCoreInstrumentation(options =>
                {
                    options.Filter = context => !IsQuiet(context.Request.Path);
                    options.EnrichWithHttpResponse = NameByPath;
                    // Every click in the console is several calls of its hub.
                    options.EnableAspNetCoreSignalRSupport = false;
                    options.EnableRazorComponentsSupport = false;
                })
                .AddHttpClientInstrumentation(options =>
                {
                    options.FilterHttpRequestMessage = request => !IsQuiet(request.RequestUri?.AbsolutePath);
                    options.EnrichWithHttpRequestMessage = (activity, request) =>
                        activity.DisplayName = $"{request.Method} {request.RequestUri?.AbsolutePath}";
                })
        );
        builder.Logging.AddOpenTelemetry(logging => logging.IncludeFormattedMessage = true);
        builder.AddExporters(telemetry, targets);
        // Its clients over HTTP: telemetry may go to the console of this machine or to a collector on the internet.
        foreach (var exporter in ExporterClients)
            builder
                .Services.AddHttpClient(exporter)
                .ConfigurePrimaryHttpMessageHandler(() => OutboundHttp.CreateHandler());
    }

    // A proxy's catch-all route says nothing about the request.
    private static void NameByPath(Activity activity, HttpResponse response)
    {
        var request = response.HttpContext.Request;
        if (activity.DisplayName.Contains("{**", StringComparison.Ordinal))
            activity.DisplayName = $"{request.Method} {request.Path}";
    }

    private static bool IsQuiet(PathString path) => IsQuiet(path.Value);

    private static bool IsQuiet(string? path) =>
        path is not null
        && (
            Quiet.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal))
            || StaticFiles.Any(suffix => path.EndsWith(suffix, StringComparison.Ordinal))
        );
}
