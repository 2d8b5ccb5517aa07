using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// What the open tasks take in the store, by task, by family and together, as <see cref="TaskSize.Estimate"/> says. Not
/// thread-safe.
/// </summary>
internal sealed class OpenTaskSizes
{
    private readonly Dictionary<string, long> _bytes = new(StringComparer.Ordinal);
    private readonly TaskFamilies _families = new();

    /// <summary>All open tasks together.</summary>
    public long Total { get; private set; }

    /// <summary>The task; 0: it is not open.</summary>
    public long Of(string taskId) => _bytes.GetValueOrDefault(taskId);

    /// <summary>The task with all that hangs together with it: what its end may make the engine write.</summary>
    public long OfFamily(string taskId) => Math.Max(Of(taskId), _families.BytesOf(taskId));

    /// <summary>
    /// What a submission would hang together with, each family counted once, and the submission itself; 0: it depends
    /// on nothing.
    /// </summary>
    public long WithFamily(IEnumerable<IReadOnlyList<TaskView>> submissions, long bytes)
    {
        var others = submissions
            .SelectMany(tasks => tasks)
            .SelectMany(task => task.Dependencies ?? [])
            .Select(one => one.TaskId!)
            .ToHashSet(StringComparer.Ordinal);
        return others.Count == 0
            ? 0
            : bytes + _families.BytesOf(others) + others.Where(id => !_families.Contains(id)).Sum(Of);
    }

    /// <summary>The task as it is now.</summary>
    public void Set(TaskView task)
    {
        var bytes = TaskSize.Estimate(task);
        Total += bytes - Of(task.TaskId);
        _bytes[task.TaskId] = bytes;
    }

    /// <summary>
    /// Joins a task to what it depends on and is part of. A task that has no family yet gets one when another hangs on
    /// it. After <see cref="Set"/> of both.
    /// </summary>
    public void Join(TaskView task)
    {
        foreach (
            var other in (task.Dependencies ?? [])
                .Select(one => one.TaskId!)
                .Concat(task.ParentId is { } parent ? [parent] : [])
        )
        {
            if (!_bytes.TryGetValue(other, out var bytes))
                continue;
            _families.Add(task.TaskId, Of(task.TaskId));
            _families.Add(other, bytes);
            _families.Unite(task.TaskId, other);
        }
    }

    /// <summary>The task is over.</summary>
    public void Remove(string taskId)
    {
        if (_bytes.Remove(taskId, out var bytes))
            Total -= bytes;
        _families.Remove(taskId);
    }

    /// <summary>Forgets all tasks.</summary>
    public void Clear()
    {
        _bytes.Clear();
        _families.Clear();
        Total = 0;
    }
}
