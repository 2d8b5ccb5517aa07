using System.Collections.Concurrent;
using Galaxy.AppHost.Commands;
using Galaxy.AppHost.Hosting;
using Galaxy.AppHost.Restarts;
using Galaxy.LocalHosting.Control;
using Galaxy.LocalHosting.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Galaxy.AppHost.Control;

/// <summary>
/// The processes of the AppHost for <c>galaxy resources</c> and the console's page Resources. Thread-safe.
/// </summary>
internal sealed class AspireProcesses(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    RestartPolicy restarts,
    IServiceProvider services
) : EarlyService, IProcessControl
{
    private const int MaxLines = 500;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _lines = new(StringComparer.Ordinal);

    private IEnumerable<IResource> Resources =>
        model.Resources.Where(resource => resource.Annotations.OfType<RestartPolicyAnnotation>().Any());

    public IReadOnlyList<ProcessStatus> List() => [.. Resources.Select(Status)];

    public IReadOnlyList<string>? Output(string name) =>
        Find(name) is null ? null
        : _lines.TryGetValue(name, out var lines) ? [.. lines]
        : [];

    public Task<bool> StartAsync(string name, CancellationToken cancellationToken) =>
        ExecuteAsync(name, KnownResourceCommands.StartCommand, cancellationToken);

    public Task<bool> StopAsync(string name, CancellationToken cancellationToken)
    {
        restarts.ExpectStop(name);
        return ExecuteAsync(name, KnownResourceCommands.StopCommand, cancellationToken);
    }

    public int? Kill(string name)
    {
        if (Find(name) is null)
            return null;
        var pid = Current(name)?.Pid ?? 0;
        if (pid > 0)
            Signals.Send(pid, Signals.Kill);
        return pid;
    }

    // The dashboard shows the whole log; the last lines are kept here for clients of this API.
    protected override Task RunAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Resources.Select(resource => KeepLinesAsync(resource.Name, stoppingToken)));

    private async Task KeepLinesAsync(string name, CancellationToken stoppingToken)
    {
        var lines = _lines.GetOrAdd(name, _ => new ConcurrentQueue<string>());
        await foreach (var batch in loggers.WatchAsync(Find(name)!).WithCancellation(stoppingToken))
        {
            foreach (var line in batch)
                lines.Enqueue(line.Content);
            while (lines.Count > MaxLines)
                lines.TryDequeue(out _);
        }
    }

    private async Task<bool> ExecuteAsync(string name, string command, CancellationToken cancellationToken)
    {
        if (Find(name) is not { } resource)
            return false;
        await services
            .GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(resource, command, cancellationToken);
        return true;
    }

    private IResource? Find(string name) => Resources.FirstOrDefault(resource => resource.Name == name);

    private (int? Pid, CustomResourceSnapshot Snapshot)? Current(string name) =>
        notifications.TryGetCurrentState(name, out var current) ? (Pid(current.Snapshot), current.Snapshot) : null;

    private static int? Pid(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text == KnownResourceStates.Running ? ProcessCommands.ProcessId(snapshot.Properties) : null;

    private ProcessStatus Status(IResource resource)
    {
        var current = Current(resource.Name);
        var endpoints = resource
            .Annotations.OfType<EndpointAnnotation>()
            .ToDictionary(endpoint => endpoint.Name, endpoint => $"{endpoint.UriScheme}://127.0.0.1:{endpoint.Port}");
        return new ProcessStatus(
            resource.Name,
            StateOf(current?.Snapshot),
            current?.Pid,
            restarts.RestartsOf(resource.Name),
            endpoints
        );
    }

    private static string StateOf(CustomResourceSnapshot? snapshot) =>
        snapshot?.State?.Text switch
        {
            null or "Waiting" or "NotStarted" or "Not started" => "waiting",
            "Running" => snapshot.HealthStatus is null or HealthStatus.Healthy ? "healthy" : "starting",
            "Starting" => "starting",
            "Restarting" => "restarting",
            "Given up" or "FailedToStart" => "failed",
            _ => "stopped",
        };
}
