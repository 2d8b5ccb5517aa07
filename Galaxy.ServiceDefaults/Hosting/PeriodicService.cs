using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>
/// A background loop that does the same thing every so often and survives what goes wrong in it: a failed turn is
/// logged, the next one comes all the same. Turns never overlap.
/// </summary>
/// <param name="every">From the end of a turn's period to the next; a turn that takes longer makes the next one follow
/// at once.</param>
public abstract partial class PeriodicService(TimeSpan every, TimeProvider time, ILogger log) : BackgroundService
{
    /// <summary>The clock that the loop runs on.</summary>
    protected TimeProvider Time => time;

    /// <summary>One turn. What it throws is logged, except for a cancellation while stopping.</summary>
    protected abstract Task TurnAsync(CancellationToken stopping);

    /// <summary>
    /// Awaited once before the first turn; what it throws while not stopping ends the loop, which is started again.
    /// </summary>
    protected virtual Task ReadyAsync(CancellationToken stopping) => Task.CompletedTask;

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await ReadyAsync(stoppingToken);
            using var timer = new PeriodicTimer(every, time);
            do await SurviveTurnAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task SurviveTurnAsync(CancellationToken stopping)
    {
        try
        {
            await TurnAsync(stopping);
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            LogFailed(failure, GetType().Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Loop} goes on after an error")]
    private partial void LogFailed(Exception failure, string loop);
}
