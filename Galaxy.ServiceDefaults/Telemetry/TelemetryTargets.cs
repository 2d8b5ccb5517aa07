using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Galaxy.ServiceDefaults.Telemetry;

/// <summary>
/// Where telemetry goes, each receiver getting all of it: what <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names (Aspire's
/// dashboard, a collector), and Galaxy's own console at <c>GALAXY_OTLP_ENDPOINT</c>.
/// </summary>
internal static class TelemetryTargets
{
    private const string ConsoleName = "galaxy-console";
    private const int TraceDelayMilliseconds = 1000;

    /// <summary>
    /// The names of the exporters; the default one reads the <c>OTEL_*</c> variables. Empty: telemetry goes nowhere.
    /// </summary>
    public static IReadOnlyList<string> Read(IConfiguration configuration)
    {
        var names = new List<string>();
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 })
            names.Add(Microsoft.Extensions.Options.Options.DefaultName);
        if (configuration["GALAXY_OTLP_ENDPOINT"] is { Length: > 0 })
            names.Add(ConsoleName);
        return names;
    }

    public static void AddExporters(
        this IHostApplicationBuilder builder,
        OpenTelemetryBuilder telemetry,
        IReadOnlyList<string> names
    )
    {
        foreach (var name in names)
        {
            void Configure(OtlpExporterOptions options)
            {
                if (name != ConsoleName)
                    return;
                options.Endpoint = new Uri(builder.Configuration["GALAXY_OTLP_ENDPOINT"]!);
                options.Protocol = OtlpExportProtocol.Grpc;
                options.Headers = "x-otlp-api-key=" + builder.Configuration["GALAXY_OTLP_TOKEN"];
            }
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter(name, Configure));
            telemetry.WithMetrics(metrics => metrics.AddOtlpExporter(name, Configure));
            builder.Logging.AddOpenTelemetry(logging => logging.AddOtlpExporter(name, Configure));
        }
        // A user that watches a failover should not wait for the five seconds that are the SDK's default.
        builder.Services.ConfigureAll<BatchExportActivityProcessorOptions>(options =>
            options.ScheduledDelayMilliseconds = TraceDelayMilliseconds
        );
    }
}
