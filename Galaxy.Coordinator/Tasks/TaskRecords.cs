using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Reads stored tasks to find those that were set aside. A new leader reads the open tasks at once; this service reads
/// the finished ones once a term and slowly, so that unreadable records are known before a client asks for them.
/// Repaired records are loaded again.
/// </summary>
internal sealed class TaskRecords(
    TaskEngine engine,
    TaskStore store,
    Quarantine quarantine,
    TimeProvider time,
    ILogger<TaskRecords> log
) : PeriodicService(Every, time, log), IStoredRecords
{
    private const int PagesAtOnce = 50;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AgainEvery = TimeSpan.FromSeconds(30);

    private long? _term;
    private long _next;
    private long _again;

    public string Kind => Quarantine.Tasks;

    public async Task ReadAgainAsync(string id)
    {
        if (engine.Find(id) is null && await store.ReadAsync(id) is { IsOver: true })
            quarantine.Release(Kind, id);
        else
            await engine.AskAsync(new TaskEvent.Reload(id));
    }

    public Task DeleteAsync(string id) => engine.AskAsync(new TaskEvent.Drop(id));

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        if (engine.Term is not { } term)
            return;
        try
        {
            if (term != _term)
                (_term, _next, _again) = (term, 0, Time.GetTimestamp());
            await ReadSomeAsync();
            if (Time.GetElapsedTime(_again) < AgainEvery)
                return;
            _again = Time.GetTimestamp();
            foreach (var record in quarantine.List().Where(record => record.Kind == Kind))
                await ReadAgainAsync(record.Id);
        }
        catch (Exception later)
            when (later is StoreUnavailableException or NotLeaderException or TaskQueueFullException)
        {
            // At another turn.
        }
    }

    private async Task ReadSomeAsync()
    {
        if (await store.ReadIndexAsync() is not { } index || _next > index.Last)
            return;
        var first = Math.Max(_next, index.First);
        foreach (var page in await store.ReadPagesAsync(first, Math.Min(index.Last, first + PagesAtOnce - 1)))
            await store.ReadManyAsync(page.TaskIds);
        _next = first + PagesAtOnce;
    }
}
