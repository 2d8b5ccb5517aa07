using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.ServiceDefaults.Health;

/// <summary>
/// A service that has just been started knows no node yet, and would answer that there is none. Until it has heard from
/// a coordinator, or for 10 s, it answers 503 in a way that lets a gateway ask another instance.
/// </summary>
public static class Readiness
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Before everything else of the pipeline.</summary>
    public static void UseReadiness(this WebApplication app)
    {
        var services = app.Services;
        if (CoordinatorDirectory.Read(app.Configuration, services.GetRequiredService<NodeOptions>()).Count == 0)
            return;
        var (cluster, configuration, time) = (
            services.GetRequiredService<ClusterWatcher>(),
            services.GetService<ConfigWatcher>(),
            services.GetRequiredService<TimeProvider>()
        );
        var began = time.GetTimestamp();
        var ready = false;
        app.Use(
            (context, next) =>
            {
                // After the timeout the service serves what it knows by itself: its coordinators may be away for long.
                if (
                    ready
                    || (
                        ready =
                            (cluster.Current.Version > 0 && configuration?.IsReady != false)
                            || time.GetElapsedTime(began) > Patience
                    )
                    || context.Request.Path.Value is "/alive" or "/health"
                )
                    return next(context);
                context.Response.Headers.RetryAfter = "1";
                context.Response.Headers["X-Galaxy-Executed"] = "no";
                return Results
                    .Problem(
                        "This service has just been started and has not heard of the cluster yet.",
                        statusCode: 503
                    )
                    .ExecuteAsync(context);
            }
        );
    }
}
