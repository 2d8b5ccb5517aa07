using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>
/// Starts a background service again whose loop has ended with an exception, after a pause that doubles from 100 ms to
/// 10 s and begins anew after a minute without one. No defect in one loop, and no data that meets it, ends the process.
/// </summary>
internal sealed partial class LoopSupervisor(IServiceProvider services, TimeProvider time, ILogger<LoopSupervisor> log)
    : IHostedLifecycleService,
        IDisposable
{
    private static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task _watches = Task.CompletedTask;

    /// <summary>Begins when every service has been started.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _watches = Task.WhenAll(services.GetServices<IHostedService>().OfType<BackgroundService>().Select(WatchAsync));
        return Task.CompletedTask;
    }

    /// <summary>Ends before the services are told to stop: what they throw from then on is no defect.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _watches;
    }

    private async Task WatchAsync(BackgroundService service)
    {
        var pause = MinPause;
        while (service.ExecuteTask is { } loop)
        {
            var began = time.GetTimestamp();
            await loop.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested || !loop.IsFaulted)
                return;
            var failure = loop.Exception.GetBaseException();
            if (time.GetElapsedTime(began) > Calm)
                pause = MinPause;
            LogFailed(failure, service.GetType().Name, pause.TotalSeconds);
            await Task.Delay(pause, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested)
                return;
            pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
            await service.StartAsync(CancellationToken.None);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Service} ended with an error and starts again after {Seconds} s"
    )]
    private partial void LogFailed(Exception failure, string service, double seconds);
}
