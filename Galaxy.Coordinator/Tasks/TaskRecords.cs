using Galaxy.Coordinator.Storage;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Stored tasks, for those that were set aside.</summary>
internal sealed class TaskRecords(TaskEngine engine) : IStoredRecords
{
    public string Kind => Quarantine.Tasks;

    public Task ReadAgainAsync(string id) => engine.AskAsync(new TaskEvent.Reload(id));

    public Task DeleteAsync(string id) => engine.AskAsync(new TaskEvent.Drop(id));
}
