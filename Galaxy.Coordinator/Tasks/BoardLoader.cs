using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Scheduling;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Makes a board of stored tasks. A task that the board cannot take, for instance because a version with a defect wrote
/// it, is found by halving, and set aside; the others are loaded.
/// </summary>
/// <param name="newBoard">Makes an empty board.</param>
internal sealed class BoardLoader(Quarantine quarantine, Func<TaskBoard> newBoard)
{
    private const string Probe = "probe";

    /// <summary>A task that can be used.</summary>
    public readonly record struct Usable(TaskView Task, TaskSpec Spec, TaskRun Run);

    /// <summary>The board has begun; nothing is placed yet.</summary>
    public (TaskBoard Board, IReadOnlyList<Usable> Tasks) Load(IReadOnlyList<TaskView> stored, DateTimeOffset now)
    {
        var readable = stored.Select(Read).OfType<Usable>().ToList();
        if (Try(readable, now) is null)
            return (Begin(readable, now), readable);
        var harmless = Harmless(readable, now);
        // What is harmless alone may not be together: then it is loaded one by one, in order, as far as it goes.
        if (Try(harmless, now) is not null)
            harmless = Together(harmless, now);
        return (Begin(harmless, now), harmless);
    }

    private Usable? Read(TaskView task) =>
        quarantine.Use(Quarantine.Tasks, task.TaskId, () =>
            TaskSubmission.Complaint(task) is { } complaint
                ? throw new FormatException(complaint)
                : Tuple.Create(task.ToSpec(), task.ToRun())
        )
            is var (spec, run)
            ? new Usable(task, spec, run)
            : null;

    private TaskBoard Begin(IReadOnlyList<Usable> tasks, DateTimeOffset now)
    {
        var board = newBoard();
        foreach (var (_, spec, run) in tasks)
            board.Load(spec, run, now);
        board.Begin(now);
        return board;
    }

    // Why a board of these does not work; null: it does.
    private Exception? Try(IReadOnlyList<Usable> tasks, DateTimeOffset now)
    {
        try
        {
            var board = Begin(tasks, now);
            // A device that can do all of it: what only fails when it is placed fails here.
            board.Arrive(ProbeFor(tasks), null, now);
            board.Tick(now);
            board.Place(now);
            board.Take();
            return null;
        }
        catch (Exception defect)
        {
            return defect;
        }
    }

    private static BoardDevice ProbeFor(IReadOnlyList<Usable> tasks) =>
        new(Probe)
        {
            Type = Probe,
            Slots = tasks.Count + 1,
            Capabilities = tasks
                .SelectMany(task => task.Spec.Needs.Capabilities)
                .Where(capability => capability is not null)
                .Distinct(StringComparer.Ordinal)
                .ToDictionary(capability => capability, _ => 1, StringComparer.Ordinal),
        };

    private List<Usable> Harmless(List<Usable> tasks, DateTimeOffset now)
    {
        if (tasks.Count == 0 || Try(tasks, now) is not { } defect)
            return tasks;
        if (tasks.Count == 1)
        {
            SetAside(tasks[0], defect);
            return [];
        }
        var half = tasks.Count / 2;
        return [.. Harmless(tasks[..half], now), .. Harmless(tasks[half..], now)];
    }

    private List<Usable> Together(List<Usable> tasks, DateTimeOffset now)
    {
        var kept = new List<Usable>();
        foreach (var task in tasks)
        {
            if (Try([.. kept, task], now) is { } defect)
                SetAside(task, defect);
            else
                kept.Add(task);
        }
        return kept;
    }

    private void SetAside(Usable task, Exception defect) =>
        quarantine.Add(Quarantine.Tasks, task.Task.TaskId, $"{defect.GetType().Name}: {defect.Message}", 0);
}
