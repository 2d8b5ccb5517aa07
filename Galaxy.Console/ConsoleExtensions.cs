using Galaxy.Console.Cluster;
using Galaxy.Console.Live;
using Galaxy.Console.Logs;
using Galaxy.Console.Metrics;
using Galaxy.Console.People;
using Galaxy.Console.Resources;
using Galaxy.Console.Texts;
using Galaxy.Console.Traces;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Console;

internal static class ConsoleExtensions
{
    public static void AddTelemetryStores(this IServiceCollection services)
    {
        services.AddSingleton<TraceStore>();
        services.AddSingleton<LogStore>();
        services.AddSingleton<MetricStore>();
    }

    /// <summary>What pages live on: feeds that all share, and what belongs to one viewer.</summary>
    public static void AddPages(this IServiceCollection services)
    {
        services.AddSingleton<ClusterHttp>();
        services.AddSingleton<Pulse>();
        services.AddSingleton<TaskFeed>();
        services.AddSingleton<RunnerClient>();
        services.AddScoped<Viewer>();
        services.AddScoped<T>();
        services.AddScoped(provider => new ClusterApi(
            provider.GetRequiredService<ClusterHttp>(),
            provider.GetRequiredService<ClusterWatcher>(),
            provider.GetRequiredService<Viewer>(),
            provider.GetRequiredService<TimeProvider>()
        ));
    }
}
