using System.Collections.Immutable;
using Galaxy.AppHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.AppHost.Restarts;

/// <summary>
/// Starts resources again that end without being asked to, which Aspire itself does not do. What the policy did and why
/// is shown in the dashboard: in the state, in the properties and in the console log of the resource. Thread-safe.
/// </summary>
internal sealed partial class RestartPolicy(
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<RestartPolicy> logger
) : EarlyService
{
    /// <summary>The property of a resource that says when and how it ended last, and what comes next.</summary>
    public const string LastEnd = "Last end";

    // Aspire's own resource; it has no start command.
    private const string Dashboard = "aspire-dashboard";

    private readonly Dictionary<string, RestartState> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _pending = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>How often a resource was started again.</summary>
    public int RestartsOf(string resource)
    {
        lock (_gate)
            return _states.GetValueOrDefault(resource)?.Restarts ?? 0;
    }

    /// <summary>The next end of the resource is wanted.</summary>
    public void ExpectStop(string resource)
    {
        lock (_gate)
            StateOf(resource)?.RequestStop();
    }

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken).WithCancellation(stoppingToken))
        {
            if (change.Resource.Annotations.OfType<RestartPolicyAnnotation>().Any())
                Observe(change, stoppingToken);
            else if (
                change.Resource.Name == Dashboard
                && KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text)
                && !lifetime.ApplicationStopping.IsCancellationRequested
            )
                LogDashboardEnded();
        }
    }

    private void Observe(ResourceEvent change, CancellationToken stoppingToken)
    {
        lock (_gate)
        {
            var state = StateOf(change.Resource);
            var text = change.Snapshot.State?.Text;
            if (text == KnownResourceStates.Running)
            {
                // A running resource publishes its health and its properties as well.
                if (!state.IsRunning)
                    state.Started();
                else if (IsHealthy(change.Snapshot, since: state.StartedAt))
                    state.BecameHealthy();
                ForgetWaits(change.Resource);
            }
            else if (text == KnownResourceStates.Stopping)
            {
                state.RequestStop();
            }
            else if (KnownResourceStates.TerminalStates.Contains(text) && state.StopRequested)
            {
                state.Stopped();
            }
            else if (
                KnownResourceStates.TerminalStates.Contains(text)
                && !lifetime.ApplicationStopping.IsCancellationRequested
                && !IsPending(change.Resource.Name)
            )
            {
                _pending[change.Resource.Name] = RestartAsync(change, state, stoppingToken);
            }
        }
    }

    private bool IsPending(string resource) => _pending.TryGetValue(resource, out var pending) && !pending.IsCompleted;

    private RestartState? StateOf(string resource) => _states.GetValueOrDefault(resource);

    private RestartState StateOf(IResource resource)
    {
        if (!_states.TryGetValue(resource.Name, out var state))
            _states[resource.Name] = state = new RestartState(
                time,
                resource.Annotations.OfType<HealthCheckAnnotation>().Any()
            );
        return state;
    }

    private static bool IsHealthy(CustomResourceSnapshot snapshot, DateTimeOffset since) =>
        snapshot.HealthReports.Length > 0
        && snapshot.HealthReports.All(report =>
            report.Status == HealthStatus.Healthy && report.LastRunAt > since.UtcDateTime
        );

    private async Task RestartAsync(ResourceEvent ended, RestartState state, CancellationToken stoppingToken)
    {
        // The caller holds the lock; the rest happens after it.
        await Task.Yield();
        var resource = ended.Resource;
        RestartDecision decision;
        lock (_gate)
            decision = state.Ended(
                ended.Snapshot.State?.Text == KnownResourceStates.FailedToStart ? null : ended.Snapshot.ExitCode
            );
        try
        {
            await PublishAsync(resource, state.Restarts, decision);
            if (decision.Delay is not { } delay)
                return;
            await Task.Delay(delay, time, stoppingToken);
            if (state.StopRequested)
            {
                await notifications.PublishUpdateAsync(resource, snapshot =>
                    snapshot with
                    {
                        State = KnownResourceStates.Finished,
                    }
                );
                return;
            }
            // Asked for here: commands need a started application.
            var commands = services.GetRequiredService<ResourceCommandService>();
            var result = await commands.ExecuteCommandAsync(
                resource,
                KnownResourceCommands.StartCommand,
                stoppingToken
            );
            if (!result.Success)
                LogNotStarted(resource.Name, result.Message);
        }
        catch (OperationCanceledException)
        {
            // The application stops.
        }
        catch (Exception failure)
        {
            LogFailed(failure, resource.Name);
        }
    }

    private async Task PublishAsync(IResource resource, int restarts, RestartDecision decision)
    {
        var log = loggers.GetLogger(resource);
        if (decision.Delay is null)
            LogGivenUp(log, decision.Reason);
        else
            LogRestart(log, decision.Reason);
        var state = decision.Delay is null
            ? new ResourceStateSnapshot("Given up", KnownResourceStateStyles.Error)
            : new ResourceStateSnapshot("Restarting", KnownResourceStateStyles.Warn);
        await notifications.PublishUpdateAsync(resource, snapshot =>
            snapshot with
            {
                State = state,
                Properties = With(
                    snapshot.Properties,
                    ("Restarts", restarts),
                    (LastEnd, $"{time.GetLocalNow():HH:mm:ss} {decision.Reason}")
                ),
            }
        );
    }

    private static ImmutableArray<ResourcePropertySnapshot> With(
        ImmutableArray<ResourcePropertySnapshot> properties,
        params (string Name, object Value)[] values
    ) =>
        [
            .. properties.Where(property => !values.Any(value => value.Name == property.Name)),
            .. values.Select(value => new ResourcePropertySnapshot(value.Name, value.Value) { IsHighlighted = true }),
        ];

    // A wait orders the first start. A later start must not depend on whether another service, for instance the first
    // coordinator, is healthy at that moment.
    private static void ForgetWaits(IResource resource)
    {
        foreach (var wait in resource.Annotations.OfType<WaitAnnotation>().ToList())
            resource.Annotations.Remove(wait);
    }

    [LoggerMessage(
        LogLevel.Error,
        "The dashboard has ended. The system goes on without it; for a new one press Ctrl-C and start again."
    )]
    private partial void LogDashboardEnded();

    [LoggerMessage(LogLevel.Warning, "{Resource} could not be started again: {Reason}")]
    private partial void LogNotStarted(string resource, string? reason);

    [LoggerMessage(LogLevel.Error, "{Resource} could not be started again.")]
    private partial void LogFailed(Exception failure, string resource);

    [LoggerMessage(LogLevel.Warning, "{Reason}")]
    private static partial void LogRestart(ILogger log, string reason);

    [LoggerMessage(LogLevel.Error, "Given up. {Reason}")]
    private static partial void LogGivenUp(ILogger log, string reason);
}
