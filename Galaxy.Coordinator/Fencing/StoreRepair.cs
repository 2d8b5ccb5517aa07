using Galaxy.Coordinator.Election;

namespace Galaxy.Coordinator.Fencing;

/// <summary>While this node leads: brings stores that were away up to date.</summary>
internal sealed partial class StoreRepair(FencedStores stores, Elector elector, TimeProvider time, ILogger<StoreRepair> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).AsTask().ContinueWith(t => t.IsCompletedSuccessfully && t.Result, TaskScheduler.Default))
        {
            try
            {
                if (elector.CurrentToken is null)
                    continue;
                foreach (var behind in stores.Behind)
                    await stores.RepairAsync(behind);
            }
            catch (Exception failure)
            {
                LogFailed(failure);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Repairing stores goes on after an error")]
    private partial void LogFailed(Exception failure);
}
