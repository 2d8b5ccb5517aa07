using Galaxy.ServiceDefaults.Audit;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Galaxy.ServiceDefaults;

/// <summary>What every service gets with one call.</summary>
public static class ServiceDefaultsExtensions
{
    private static readonly string[] LiveTags = ["live"];

    /// <summary>
    /// Settings, telemetry, authentication, health, resilient HTTP clients with service discovery, problem details.
    /// </summary>
    /// <param name="serviceName">The name in traces when <c>OTEL_SERVICE_NAME</c> is not set; null: the process has
    /// telemetry already.</param>
    /// <exception cref="SettingException">A setting is not allowed.</exception>
    public static NodeOptions AddServiceDefaults(this WebApplicationBuilder builder, string? serviceName)
    {
        builder.Configuration.AddNodeFiles(Directory.GetCurrentDirectory());
        var node = NodeOptionsReader.Read(builder.Configuration);
        // The services that need it read it again; here a mistake is reported in one sentence and ends the start.
        _ = CoordinatorDirectory.Read(builder.Configuration, node);
        builder.Services.AddSingleton(node);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<CoordinatorChannels>();
        builder.Services.AddSingleton<OwnAddresses>();

        builder.Logging.AddLines();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        // It warns that our own Listen wins over ASPNETCORE_URLS, which Listen has taken into account.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error);
        // The client is told about its own errors.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None);
        builder.Logging.AddFilter("Galaxy.ServiceDefaults.Authentication", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http", LogLevel.Warning);
        builder.Logging.AddFilter("Polly", LogLevel.Warning);
        // Its report of each try to reconnect is twenty lines; what waits for a store says so in one.
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.Error);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Logging.AddFilter("Grpc", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Error);
        // The caller of a health endpoint gets the result; a log line for each call would hide everything else.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        if (serviceName is not null)
            builder.AddTelemetry(node, serviceName);
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), LiveTags);
        builder.Services.AddServiceDiscovery();
        OutboundHttp.UseAsDefault();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.ConfigurePrimaryHttpMessageHandler(() => InternalHttp.CreateHandler());
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = StatusSentences.Add);
        builder.Services.AddExceptionHandler<BadRequests>();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json => GalaxyJson.Configure(json.SerializerOptions));

        builder
            .Services.AddAuthentication(ApiKeyAuthenticationHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthenticationHandler>(
                ApiKeyAuthenticationHandler.SchemeName,
                null
            );
        builder.Services.AddAuthorizationBuilder().AddRolePolicies();
        builder.Services.AddSingleton<ServiceTokens>();
        builder.Services.AddSingleton<CallerIdentifier>();
        builder.Services.AddSingleton<AuditTrail>();
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = TimeSpan.FromSeconds(4);
            // The supervisor starts it again.
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        builder.Services.AddHostedService<LoopSupervisor>();
        return node;
    }

    /// <summary>Watches the cluster, and keeps this service in its registry when a description is given.</summary>
    public static void AddClusterMember(this IServiceCollection services, ServiceDescription? description)
    {
        services.AddSingleton<ClusterWatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterWatcher>());
        services.AddSingleton<IAccessDirectory, WatchedKeys>();
        services.AddHostedService<AuditReporter>();
        if (description is null)
            return;
        services.AddSingleton(description);
        services.AddHostedService<ServiceAnnouncer>();
    }

    /// <summary>
    /// Authentication and the two health endpoints: <c>/alive</c> is the only one open to every caller.
    /// </summary>
    public static void UseServiceDefaults(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseAuthentication();
        app.UseAudit();
        app.UseAuthorization();
        app.UseJsonBodies();
    }

    public static void MapDefaultEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/alive", () => Results.Text("alive")).AllowAnonymous().ExcludeFromDescription();
        if (endpoints.ServiceProvider.GetService<MeterProvider>() is not null)
            endpoints.MapPrometheusScrapingEndpoint("/metrics").Needs(AccessRole.Operator);
        endpoints
            .MapHealthChecks(
                "/health",
                new HealthCheckOptions
                {
                    ResponseWriter = (context, report) =>
                        context.Response.WriteAsJsonAsync(
                            new
                            {
                                status = report.Status.ToString(),
                                checks = report.Entries.ToDictionary(
                                    entry => entry.Key,
                                    entry => new { status = entry.Value.Status.ToString(), entry.Value.Description }
                                ),
                            }
                        ),
                }
            )
            .Needs(AccessRole.Member);
    }
}
