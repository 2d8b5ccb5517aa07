using Galaxy.Coordinator.Fencing;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Forgets the finished tasks that have been kept longest, when there are too many.</summary>
internal sealed class TaskRetention(TaskStore store, TaskEngine engine, TimeProvider time, ILogger<TaskRetention> log) : PeriodicService(TimeSpan.FromSeconds(10), time, log)
{
    /// <summary>Finished tasks that are kept.</summary>
    public const int Kept = 100_000;

    private const int AtOnce = 500;
    private const int MostInTurn = 40;

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        try
        {
            for (var i = 0; i < MostInTurn && engine.Term is { } term && !stopping.IsCancellationRequested; i++)
            {
                var surplus = await store.CountDoneAsync() - Kept;
                if (surplus <= 0)
                    return;
                await store.WriteAsync(term, new TaskBatch([], await store.ReadOldestDoneAsync((int)Math.Min(surplus, AtOnce))));
            }
        }
        catch (Exception later) when (later is StoreUnavailableException or NotLeaderException)
        {
            // At the next turn, or by the next leader.
        }
    }
}
