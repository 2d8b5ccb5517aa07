using Microsoft.Extensions.Hosting;

namespace Galaxy.AppHost.Hosting;

/// <summary>
/// A background service that runs before any resource is started: the orchestrator's own start returns only when
/// everything has been started.
/// </summary>
internal abstract class EarlyService : BackgroundService, IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => base.StartAsync(cancellationToken);

    public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application stops.
        }
    }

    /// <summary>Runs until the application stops.</summary>
    protected abstract Task RunAsync(CancellationToken stoppingToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
