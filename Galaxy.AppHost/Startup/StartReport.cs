using System.Diagnostics;
using Galaxy.AppHost.Commands;
using Galaxy.AppHost.Hosting;
using Galaxy.AppHost.Resources;
using Galaxy.AppHost.Restarts;
using Galaxy.LocalHosting.Supervision;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Galaxy.AppHost.Startup;

/// <summary>Tells the user at the terminal what is awaited, and when everything is healthy the links, last.</summary>
internal sealed class StartReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    IConfiguration configuration,
    GalaxyBuilder galaxy,
    ApiAddress api,
    IHostApplicationLifetime lifetime
) : EarlyService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly long _started = Stopwatch.GetTimestamp();

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var resources = model
            .Resources.Where(resource => resource.Annotations.OfType<RestartPolicyAnnotation>().Any())
            .ToList();
        lifetime.ApplicationStopping.Register(() => Console.Out.WriteLine("Stopping …"));
        lifetime.ApplicationStopped.Register(() => Console.Out.WriteLine("Stopped."));
        Console.Out.WriteLine($"Starting {resources.Count} resources. Dashboard: {Dashboard}");
        var names = resources.Select(resource => resource.Name).ToHashSet(StringComparer.Ordinal);
        var waiting = names.ToHashSet(StringComparer.Ordinal);
        using var timer = new PeriodicTimer(Interval);
        var progress = ShowProgressAsync(waiting, timer);
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken).WithCancellation(stoppingToken))
            {
                lock (waiting)
                {
                    if (IsHealthy(change.Snapshot))
                        waiting.Remove(change.Resource.Name);
                    // One that was healthy may have ended before the last one is.
                    else if (names.Contains(change.Resource.Name))
                        waiting.Add(change.Resource.Name);
                    if (
                        change.Snapshot.State?.Text is "Given up" or "FailedToStart"
                        && !lifetime.ApplicationStopping.IsCancellationRequested
                    )
                        Console.Out.WriteLine(
                            $"'{change.Resource.Name}' does not start. Its console log in the dashboard "
                                + $"says why: {Dashboard}"
                        );
                    if (waiting.Count == 0)
                        break;
                }
            }
            timer.Dispose();
            await progress;
            await ShowLinksAsync(resources.Count, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // Stopped while it was starting: nothing is left to say.
        }
    }

    private string Dashboard
    {
        get
        {
            var address = configuration["ASPNETCORE_URLS"]
                ?.Split(';')[0]
                .Replace("localhost", "127.0.0.1", StringComparison.Ordinal);
            return configuration["AppHost:BrowserToken"] is { Length: > 0 } token
                ? $"{address}/login?t={token}"
                : address ?? "";
        }
    }

    private static bool IsHealthy(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text == KnownResourceStates.Running && snapshot.HealthStatus is null or HealthStatus.Healthy;

    private async Task ShowProgressAsync(HashSet<string> waiting, PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync())
        {
            lock (waiting)
                Console.Out.WriteLine(
                    $"{Stopwatch.GetElapsedTime(_started).TotalSeconds, 4:0} s: waiting for "
                        + $"{string.Join(", ", waiting.Order().Select(Describe))}"
                );
        }
    }

    // Of one that has ended before it was healthy, why and what comes next.
    private string Describe(string name) =>
        notifications.TryGetCurrentState(name, out var current)
        && current.Snapshot.Properties.FirstOrDefault(property => property.Name == RestartPolicy.LastEnd)?.Value
            is { } end
            ? $"{name} ({end})"
            : name;

    private async Task ShowLinksAsync(int count, CancellationToken stoppingToken)
    {
        var took = Stopwatch.GetElapsedTime(_started);
        var ui = model
            .Resources.First(resource => resource.Name == "gateway")
            .Annotations.OfType<EndpointAnnotation>()
            .First(endpoint => endpoint.Name == "ui");
        var leader = await LeaderQuestion.AskAsync(api.Url, api.Key, stoppingToken);
        Console.Out.WriteLine($"All {count} resources are healthy after {took.TotalSeconds:0.0} s. Ctrl-C stops them.");
        Console.Out.WriteLine($"Leader                   {leader}");
        Console.Out.WriteLine($"API                      {api.Url}");
        Console.Out.WriteLine($"Dashboard                {Dashboard}");
        Console.Out.WriteLine($"Console (one-time link)  {galaxy.SignInUrl($"http://127.0.0.1:{ui.Port}")}");
    }
}
