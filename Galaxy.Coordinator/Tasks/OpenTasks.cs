using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// The leader's copy of the unfinished tasks, for one term: it begins with what the store holds and ends when another node
/// leads. Changed by one thread at a time; <see cref="TryGet"/> may be called from any.
/// </summary>
internal sealed class OpenTasks
{
    private readonly ConcurrentDictionary<string, TaskView> _tasks = new(StringComparer.Ordinal);
    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);
    private long _term;

    public int Count => _tasks.Count;

    public IEnumerable<TaskView> All => _tasks.Values;

    /// <param name="term">The fencing token under which this node leads.</param>
    public void Begin(long term, IReadOnlyList<TaskView> stored)
    {
        End();
        _term = term;
        foreach (var task in stored)
        {
            _tasks[task.TaskId] = task;
            _loaded.Add(task.TaskId);
        }
    }

    public void End()
    {
        _tasks.Clear();
        _loaded.Clear();
        _term = 0;
    }

    /// <summary>
    /// Adds a task that was just written. Does nothing when the term in which it was written has not begun or is over (the
    /// store's copy counts), or when the term began with it: by now it may even be finished.
    /// </summary>
    public void Submitted(TaskView task)
    {
        if (task.Token == _term && !_loaded.Contains(task.TaskId))
            _tasks[task.TaskId] = task;
    }

    public void Set(TaskView task) => _tasks[task.TaskId] = task;

    public void Remove(string taskId) => _tasks.TryRemove(taskId, out _);

    public bool TryGet(string taskId, [NotNullWhen(true)] out TaskView? task) => _tasks.TryGetValue(taskId, out task);
}
