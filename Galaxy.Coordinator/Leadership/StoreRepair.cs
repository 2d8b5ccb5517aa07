using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Leadership;

/// <summary>While this node leads: brings stores that were away up to date.</summary>
internal sealed class StoreRepair(FencedStores stores, Elector elector, TimeProvider time, ILogger<StoreRepair> log)
    : PeriodicService(Every, time, log)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        if (elector.CurrentToken is null)
            return;
        foreach (var behind in stores.Behind)
            await stores.RepairAsync(behind);
    }
}
