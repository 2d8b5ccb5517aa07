namespace Galaxy.Core.Scheduling;

/// <summary>A task after a change. Write it before the effects of the same turn are carried out.</summary>
/// <param name="CopyOf">The template that this new task is a copy of; null: none.</param>
/// <param name="IsNew">It was not there before this turn.</param>
public readonly record struct BoardChange(TaskSpec Spec, TaskRun Run, string? CopyOf, bool IsNew);

/// <summary>What a turn of the board has brought.</summary>
public sealed record BoardTurn(IReadOnlyList<BoardChange> Changes, IReadOnlyList<BoardEffect> Effects)
{
    public bool IsEmpty => Changes.Count == 0 && Effects.Count == 0;
}

/// <summary>
/// The unfinished tasks of a cluster and the devices that may run them: takes what clients and devices say, and tells
/// which tasks have changed and what devices are to be told. Pure: it does no I/O and has no clock. The leader makes
/// the changes of each turn durable, then carries out its effects, so that after the death of a leader at any moment
/// another can go on from what is stored. Not thread-safe.
/// </summary>
/// <param name="random">Breaks ties between devices.</param>
/// <param name="nextTime">The first time after that moment which a cron expression names; null: none.</param>
public sealed partial class TaskBoard(Random random, Func<string, DateTimeOffset, DateTimeOffset?> nextTime)
{
    /// <summary>
    /// A device whose connection broke may come back with its attempts; after that they are given to others.
    /// </summary>
    public static readonly TimeSpan ReconnectGrace = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A gang, or a task that needs much of a device, has devices kept free for it when it has waited for that long.
    /// </summary>
    public static readonly TimeSpan ReserveAfter = TimeSpan.FromSeconds(10);

    private const int MostReservations = 16;
    private const string NeverCameBack = "the device did not come back";

    private sealed class Entry(TaskSpec spec, TaskRun run)
    {
        public TaskSpec Spec { get; } = spec;
        public TaskRun Run { get; set; } = run;
        public string? CopyOf { get; set; }
        public bool IsNew { get; set; }
        public bool IsParent => Spec.Children.Count > 0;
    }

    private enum Alarm
    {
        Due,
        AttemptOver,
        DependencyOver,
        DeviceGone,
    }

    private readonly Dictionary<string, Entry> _tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _dependents = new(StringComparer.Ordinal);
    private readonly SeatPlan _seats = new(random);
    private readonly ReadyQueue _ready = new();
    private readonly PriorityQueue<(Alarm Kind, string Id, string Stamp), long> _alarms = new();
    private readonly Dictionary<string, string> _absent = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly List<string> _changedInOrder = [];
    private readonly List<BoardEffect> _effects = [];
    private readonly Queue<(string TaskId, TaskState State)> _ended = new();
    private bool _keptFree;
    private long _stamps;

    /// <summary>Tasks that are not over.</summary>
    public int Count => _tasks.Count;

    /// <summary>Tasks, or gangs, that wait for a device.</summary>
    public int Waiting => _ready.Count;

    public IEnumerable<string> TaskIds => _tasks.Keys;

    /// <summary>When <see cref="Tick"/> has something to do; null: never, as things are.</summary>
    public DateTimeOffset? NextAlarm =>
        _alarms.TryPeek(out _, out var at) ? new DateTimeOffset(at, TimeSpan.Zero) : null;

    public TaskSpec? SpecOf(string taskId) => _tasks.GetValueOrDefault(taskId)?.Spec;

    public TaskRun? RunOf(string taskId) => _tasks.GetValueOrDefault(taskId)?.Run;

    /// <summary>Tasks out to the device.</summary>
    public int LoadOf(string deviceId) => _seats.Find(deviceId)?.Tasks.Count ?? 0;

    /// <summary>Takes over an unfinished task as the store has it. All of them, before anything else is said.</summary>
    public void Load(TaskSpec spec, TaskRun run, DateTimeOffset now)
    {
        var entry = new Entry(spec, run);
        _tasks[spec.TaskId] = entry;
        foreach (var other in run.WaitsFor)
            AddDependent(other, spec.TaskId);
        WatchDependencies(entry);
        if (run.IsOut)
        {
            var seat = _seats.FindOrAdd(new BoardDevice(run.DeviceId!));
            seat.Tasks.Add(spec.TaskId);
            seat.Used += spec.Needs.Resources;
            WatchAttempt(entry);
            if (!_absent.ContainsKey(run.DeviceId!))
                NoteAbsent(run.DeviceId!, now);
        }
        else if (run.DueAt is { } due)
        {
            Set(Alarm.Due, spec.TaskId, "", due);
        }
    }

    /// <summary>Everything is loaded: what could run is lined up.</summary>
    public void Begin(DateTimeOffset now)
    {
        foreach (var entry in _tasks.Values.ToList())
        {
            if (entry is { IsParent: false, Run: { State: TaskState.Queued or TaskState.Retrying, DueAt: null } })
                LineUp(entry);
        }
        Tick(now);
    }

    /// <summary>New tasks; parents before or after their parts, all in one call.</summary>
    /// <param name="endOf">How a task ended that is not open any more; null: it is not known.</param>
    public void Submit(IReadOnlyList<TaskSpec> specs, Func<string, TaskState?> endOf, DateTimeOffset now)
    {
        foreach (var spec in specs)
            _tasks.Add(spec.TaskId, new Entry(spec, new TaskRun { State = TaskState.Pending }) { IsNew = true });
        foreach (var spec in specs)
            Enter(_tasks[spec.TaskId], endOf, now);
        Settle(now);
    }

    private void Enter(Entry entry, Func<string, TaskState?> endOf, DateTimeOffset now)
    {
        // A part of the same submission may have been ended by another's fate already.
        if (entry.Run.State.IsOver())
            return;
        var spec = entry.Spec;
        var waits = new List<string>();
        foreach (var dependency in spec.Dependencies)
        {
            if (_tasks.TryGetValue(dependency.TaskId, out var other) && !other.Run.State.IsOver())
            {
                waits.Add(dependency.TaskId);
                AddDependent(dependency.TaskId, spec.TaskId);
            }
            else if ((other?.Run.State ?? endOf(dependency.TaskId)) is not { } end)
            {
                End(entry, TaskState.Cancelled, now, $"there is no task '{dependency.TaskId}' to depend on");
                return;
            }
            else if (!dependency.IsMetBy(end))
            {
                End(entry, TaskState.Cancelled, now, Unmet(dependency.TaskId, end));
                return;
            }
        }
        Change(entry, entry.Run with { WaitsFor = waits });
        WatchDependencies(entry);
        if (entry.IsParent)
            Change(entry, entry.Run with { State = TaskState.Queued });
        else if (waits.Count == 0 && !spec.IsHeld)
            Ready(entry, now);
    }

    /// <summary>Ends a task before it begins: it cannot be done.</summary>
    public void Refuse(string taskId, string error, DateTimeOffset now)
    {
        if (_tasks.TryGetValue(taskId, out var entry))
            End(entry, TaskState.Failed, now, error);
        Settle(now);
    }

    // Nothing is waited for any more, except perhaps its time.
    private void Ready(Entry entry, DateTimeOffset now)
    {
        var spec = entry.Spec;
        if (spec.Cron is { } cron)
        {
            if (nextTime(cron, now) is { } next)
                WaitUntil(entry, next);
            else
                End(entry, TaskState.Failed, now, $"'{cron}' names no time that is still to come");
        }
        else if (spec.NotBefore is { } start && start > now)
        {
            WaitUntil(entry, start);
        }
        else
        {
            Change(entry, entry.Run with { State = TaskState.Queued, DueAt = null });
            LineUp(entry);
        }
    }

    private void WaitUntil(Entry entry, DateTimeOffset due)
    {
        Change(entry, entry.Run with { State = TaskState.Scheduled, DueAt = due });
        Set(Alarm.Due, entry.Spec.TaskId, "", due);
    }

    private void LineUp(Entry entry)
    {
        var spec = entry.Spec;
        if (
            spec.ParentId is not { } parentId
            || !_tasks.TryGetValue(parentId, out var parent)
            || !parent.Spec.IsGang
            || entry.Run.Attempts > 0
        )
        {
            _ready.Add(spec.TaskId, [spec.TaskId], [spec.Needs], spec.CreatedAt, spec.Priority);
            return;
        }
        // The first time all parts go together; one that is tried again goes alone, as the others are at work.
        var parts = parent.Spec.Children.Select(id => _tasks.GetValueOrDefault(id)).OfType<Entry>().ToList();
        if (
            parts.Count == parent.Spec.Children.Count
            && parts.TrueForAll(part => part.Run is { State: TaskState.Queued, Attempts: 0 })
        )
            _ready.Add(
                parentId,
                parent.Spec.Children,
                [.. parts.Select(part => part.Spec.Needs)],
                parent.Spec.CreatedAt,
                parent.Spec.Priority
            );
    }

    /// <summary>Lets a held task go. False: it is not held.</summary>
    public bool Release(string taskId, DateTimeOffset now)
    {
        if (
            !_tasks.TryGetValue(taskId, out var entry)
            || entry.Run.State != TaskState.Pending
            || !entry.Spec.IsHeld
            || entry.Run.WaitsFor.Count > 0
        )
            return false;
        Ready(entry, now);
        return true;
    }

    /// <summary>Cancels a task that its client no longer wants. False: there is no such open task.</summary>
    public bool Cancel(string taskId, string reason, DateTimeOffset now)
    {
        if (!_tasks.TryGetValue(taskId, out var entry))
            return false;
        foreach (var part in entry.Spec.Children)
        {
            if (_tasks.TryGetValue(part, out var child))
                CancelOne(child, reason, now);
        }
        CancelOne(entry, reason, now);
        Settle(now);
        return true;
    }

    private void CancelOne(Entry entry, string reason, DateTimeOffset now)
    {
        if (entry.Run.State.IsOver())
            return;
        Recall(entry);
        End(entry, TaskState.Cancelled, now, reason);
    }

    private void Recall(Entry entry)
    {
        if (entry.Run.IsOut)
            _effects.Add(new BoardEffect.Recall(entry.Spec.TaskId, entry.Run.AttemptId!, entry.Run.DeviceId!));
    }

    private Entry? PresentOf(string deviceId, string taskId, string attemptId) =>
        _tasks.TryGetValue(taskId, out var entry)
        && entry.Run.IsOut
        && entry.Run.DeviceId == deviceId
        && (attemptId.Length == 0 || attemptId == entry.Run.AttemptId)
            ? entry
            : null;

    /// <summary>The task that an attempt belongs to.</summary>
    public static string TaskOf(string attemptId) =>
        attemptId.LastIndexOf('.') is > 0 and var dot ? attemptId[..dot] : attemptId;

    private void AddDependent(string other, string taskId)
    {
        if (!_dependents.TryGetValue(other, out var list))
            _dependents[other] = list = [];
        list.Add(taskId);
    }

    private void Change(Entry entry, TaskRun run)
    {
        entry.Run = run;
        if (_changed.Add(entry.Spec.TaskId))
            _changedInOrder.Add(entry.Spec.TaskId);
    }

    /// <summary>What has changed since the last time. Tasks that are over leave the board with it.</summary>
    public BoardTurn Take()
    {
        if (_changedInOrder.Count == 0 && _effects.Count == 0)
            return new BoardTurn([], []);
        var changes = new List<BoardChange>(_changedInOrder.Count);
        foreach (var id in _changedInOrder)
        {
            var entry = _tasks[id];
            changes.Add(new BoardChange(entry.Spec, entry.Run, entry.CopyOf, entry.IsNew));
            entry.IsNew = false;
            if (entry.Run.State.IsOver())
                _tasks.Remove(id);
        }
        var turn = new BoardTurn(changes, [.. _effects]);
        _changed.Clear();
        _changedInOrder.Clear();
        _effects.Clear();
        return turn;
    }
}
