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
/// The unfinished tasks of a cluster and the devices that may run them: takes what clients and devices say, and tells which tasks have changed and
/// what devices are to be told. Pure: it does no I/O and has no clock. The leader makes the changes of each turn durable, then carries out its
/// effects, so that after the death of a leader at any moment another can go on from what is stored. Not thread-safe.
/// </summary>
/// <param name="random">Breaks ties between devices.</param>
/// <param name="nextTime">The first time after that moment which a cron expression names; null: none.</param>
public sealed class TaskBoard(Random random, Func<string, DateTimeOffset, DateTimeOffset?> nextTime)
{
    /// <summary>A device whose connection broke may come back with its attempts; after that they are given to others.</summary>
    public static readonly TimeSpan ReconnectGrace = TimeSpan.FromSeconds(10);

    /// <summary>A gang, or a task that needs much of a device, has devices kept free for it when it has waited for that long.</summary>
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
    public DateTimeOffset? NextAlarm => _alarms.TryPeek(out _, out var at) ? new DateTimeOffset(at, TimeSpan.Zero) : null;

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
        if (spec.ParentId is not { } parentId || !_tasks.TryGetValue(parentId, out var parent) || !parent.Spec.IsGang || entry.Run.Attempts > 0)
        {
            _ready.Add(spec.TaskId, [spec.TaskId], [spec.Needs], spec.CreatedAt, spec.Priority);
            return;
        }
        // The first time all parts go together; one that is tried again goes alone, as the others are at work.
        var parts = parent.Spec.Children.Select(id => _tasks.GetValueOrDefault(id)).OfType<Entry>().ToList();
        if (parts.Count == parent.Spec.Children.Count && parts.TrueForAll(part => part.Run is { State: TaskState.Queued, Attempts: 0 }))
            _ready.Add(parentId, parent.Spec.Children, [.. parts.Select(part => part.Spec.Needs)], parent.Spec.CreatedAt, parent.Spec.Priority);
    }

    /// <summary>Lets a held task go. False: it is not held.</summary>
    public bool Release(string taskId, DateTimeOffset now)
    {
        if (!_tasks.TryGetValue(taskId, out var entry) || entry.Run.State != TaskState.Pending || !entry.Spec.IsHeld || entry.Run.WaitsFor.Count > 0)
            return false;
        Ready(entry, now);
        return true;
    }

    /// <summary>A device is there, or has changed.</summary>
    /// <param name="attempts">What it still runs or has a result of; null: it cannot tell, and keeps what it was given.</param>
    public void Arrive(BoardDevice device, IReadOnlyCollection<string>? attempts, DateTimeOffset now)
    {
        var seat = _seats.Arrive(device);
        _absent.Remove(device.DeviceId);
        if (attempts is not null)
        {
            foreach (var taskId in seat.Tasks.ToList())
            {
                if (!attempts.Contains(_tasks[taskId].Run.AttemptId!))
                    Lose(_tasks[taskId], "the device came back without it", now);
            }
            foreach (var attempt in attempts)
                Reclaim(seat, attempt);
        }
        _ready.Wake(device);
        Settle(now);
    }

    // An attempt that was given up while its device was away goes on, unless another has begun.
    private void Reclaim(Seat seat, string attempt)
    {
        var taskId = TaskOf(attempt);
        if (seat.Tasks.Contains(taskId))
            return;
        if (!_tasks.TryGetValue(taskId, out var entry) || !WasGivenUp(entry, seat.Device.DeviceId, attempt))
        {
            _effects.Add(new BoardEffect.Recall(taskId, attempt, seat.Device.DeviceId));
            return;
        }
        _ready.Remove(taskId);
        var past = entry.Run.History[^1];
        Occupy(seat, entry);
        Change(entry, entry.Run with
        {
            State = TaskState.Running, AttemptId = attempt, DeviceId = seat.Device.DeviceId, StartedAt = past.StartedAt, DueAt = null, Error = null,
            History = [.. entry.Run.History.SkipLast(1)],
        });
        WatchAttempt(entry);
    }

    private static bool WasGivenUp(Entry entry, string deviceId, string attempt) =>
        entry.Run is { IsOut: false, History: [.., { Outcome: "lost" } last] } && last.AttemptId == attempt && last.DeviceId == deviceId;

    /// <summary>The device's connection is gone.</summary>
    public void Leave(string deviceId, DateTimeOffset now)
    {
        if (_seats.Find(deviceId) is not { } seat)
            return;
        _seats.Leave(seat);
        if (seat.Tasks.Count > 0)
            NoteAbsent(deviceId, now);
        else
            _seats.Forget(seat);
    }

    private void NoteAbsent(string deviceId, DateTimeOffset now)
    {
        var stamp = $"{++_stamps}";
        _absent[deviceId] = stamp;
        Set(Alarm.DeviceGone, deviceId, stamp, now + ReconnectGrace);
    }

    /// <summary>The device works on it. Not durable: the next leader hears it again.</summary>
    /// <returns>False: it is not this device's present attempt.</returns>
    public bool Progress(string deviceId, string taskId, string attemptId, double fraction)
    {
        if (PresentOf(deviceId, taskId, attemptId) is not { } entry)
            return false;
        entry.Run = entry.Run with { State = TaskState.Running, Progress = Math.Max(entry.Run.Progress, Math.Clamp(fraction, 0, 1)) };
        return true;
    }

    /// <summary>A device tells how an attempt ended.</summary>
    /// <param name="attemptId">Empty from devices that do not know attempts.</param>
    /// <param name="output">JSON; empty: none.</param>
    public void Result(string deviceId, string taskId, string attemptId, bool failed, ReadOnlyMemory<byte> output, string error, DateTimeOffset now)
    {
        if (PresentOf(deviceId, taskId, attemptId) is { } entry)
        {
            var attempt = entry.Run.AttemptId!;
            _seats.Find(deviceId)?.Learn(now - (entry.Run.StartedAt ?? now));
            if (failed)
                Fail(entry, "failed", TaskState.Failed, error, now, output);
            else
                End(entry, TaskState.Completed, now, null, output);
            _effects.Add(new BoardEffect.Acknowledge(taskId, attempt, deviceId));
        }
        else if (_tasks.TryGetValue(taskId, out var given) && WasGivenUp(given, deviceId, attemptId))
        {
            // Given up, and nobody has begun again: it counts.
            _ready.Remove(taskId);
            var run = given.Run with { AttemptId = attemptId, DeviceId = deviceId, StartedAt = given.Run.History[^1].StartedAt, History = [.. given.Run.History.SkipLast(1)] };
            given.Run = run;
            if (failed)
                Fail(given, "failed", TaskState.Failed, error, now, output);
            else
                End(given, TaskState.Completed, now, null, output);
            _effects.Add(new BoardEffect.Acknowledge(taskId, attemptId, deviceId));
        }
        else
        {
            _effects.Add(new BoardEffect.KeepLate(taskId, attemptId, deviceId, failed, output, error));
        }
        Settle(now);
    }

    /// <summary>The message did not reach the device: its connection is closing.</summary>
    public void NotDelivered(string deviceId, string taskId, string attemptId, DateTimeOffset now)
    {
        if (PresentOf(deviceId, taskId, attemptId) is { } entry)
            Lose(entry, "it could not be delivered", now);
        Settle(now);
    }

    /// <summary>Nobody wants it any more. False: there is no such open task.</summary>
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

    /// <summary>Does what is due.</summary>
    public void Tick(DateTimeOffset now)
    {
        while (_alarms.TryPeek(out var alarm, out var at) && at <= now.UtcTicks)
        {
            _alarms.Dequeue();
            Ring(alarm.Kind, alarm.Id, alarm.Stamp, now);
        }
        Settle(now);
        _ready.Compact();
    }

    private void Ring(Alarm kind, string id, string stamp, DateTimeOffset now)
    {
        if (kind == Alarm.DeviceGone)
        {
            if (_absent.TryGetValue(id, out var last) && last == stamp && _absent.Remove(id) && _seats.Find(id) is { } seat)
            {
                foreach (var taskId in seat.Tasks.ToList())
                    Lose(_tasks[taskId], NeverCameBack, now);
                _seats.Forget(seat);
            }
            return;
        }
        if (!_tasks.TryGetValue(id, out var entry) || entry.Run.State.IsOver())
            return;
        switch (kind)
        {
            case Alarm.AttemptOver when entry.Run.IsOut && entry.Run.AttemptId == stamp:
                Recall(entry);
                Fail(entry, "timeout", TaskState.Timeout, $"no result within {entry.Spec.Timeout.TotalSeconds:0.###} s", now);
                break;
            case Alarm.DependencyOver when entry.Run.WaitsFor.Contains(stamp):
                End(entry, TaskState.Failed, now, $"the task '{stamp}' that it depends on did not end in time");
                break;
            case Alarm.Due when entry.Run.DueAt is { } due && due <= now:
                if (entry.Spec.Cron is { } cron)
                    Copy(entry, cron, due, now);
                else
                {
                    Change(entry, entry.Run with { State = TaskState.Queued, DueAt = null });
                    LineUp(entry);
                }
                break;
        }
    }

    // A copy has its time in its name: whoever leads, it is made once. While the last one is still at work none is made.
    private void Copy(Entry template, string cron, DateTimeOffset due, DateTimeOffset now)
    {
        var id = $"{template.Spec.TaskId}-{due.UtcDateTime:yyyyMMddHHmmss}";
        var busy = template.Run.LastCopy is { } last && _tasks.ContainsKey(last);
        if (nextTime(cron, now > due ? now : due) is { } next)
        {
            Change(template, template.Run with { DueAt = next, LastCopy = busy ? template.Run.LastCopy : id });
            Set(Alarm.Due, template.Spec.TaskId, "", next);
        }
        else
        {
            template.Run = template.Run with { LastCopy = id };
            End(template, TaskState.Completed, now, null);
        }
        if (busy)
            return;
        var copy = new Entry(template.Spec with { TaskId = id, Cron = null, NotBefore = null, Dependencies = [], CreatedAt = now }, new TaskRun { State = TaskState.Pending })
        {
            CopyOf = template.Spec.TaskId,
            IsNew = true,
        };
        _tasks[id] = copy;
        Ready(copy, now);
    }

    private Entry? PresentOf(string deviceId, string taskId, string attemptId) =>
        _tasks.TryGetValue(taskId, out var entry) && entry.Run.IsOut && entry.Run.DeviceId == deviceId && (attemptId.Length == 0 || attemptId == entry.Run.AttemptId) ? entry : null;

    /// <summary>The task that an attempt belongs to.</summary>
    public static string TaskOf(string attemptId) => attemptId.LastIndexOf('.') is > 0 and var dot ? attemptId[..dot] : attemptId;

    // The task is not to blame: it goes to the next device at once.
    private void Lose(Entry entry, string reason, DateTimeOffset now)
    {
        Free(entry);
        var run = entry.Run.WithPast("lost", reason, now);
        if (run.Attempts >= entry.Spec.Retry.MaxAttempts)
        {
            entry.Run = run;
            End(entry, TaskState.Failed, now, reason);
            return;
        }
        Change(entry, run with { State = TaskState.Retrying, AttemptId = null, DeviceId = null, StartedAt = null, Progress = 0, DueAt = null, Error = reason });
        LineUp(entry);
    }

    private void Fail(Entry entry, string outcome, TaskState end, string error, DateTimeOffset now, ReadOnlyMemory<byte> output = default)
    {
        if (!entry.Spec.Retry.Allows(entry.Run.Attempts, error))
        {
            End(entry, end, now, error, output);
            return;
        }
        Free(entry);
        var due = now + entry.Spec.Retry.DelayAfter(entry.Run.Attempts);
        Change(entry, entry.Run.WithPast(outcome, error, now) with
        {
            State = TaskState.Retrying, AttemptId = null, DeviceId = null, StartedAt = null, Progress = 0, DueAt = due, Error = error,
        });
        Set(Alarm.Due, entry.Spec.TaskId, "", due);
    }

    private void End(Entry entry, TaskState state, DateTimeOffset now, string? error, ReadOnlyMemory<byte> output = default)
    {
        Free(entry);
        _ready.Remove(entry.Spec.TaskId);
        Change(entry, entry.Run with
        {
            State = state, CompletedAt = now, Error = error, Result = output, DueAt = null, WaitsFor = [], Progress = state == TaskState.Completed ? 1 : entry.Run.Progress,
        });
        _ended.Enqueue((entry.Spec.TaskId, state));
    }

    // What the end of one means for others, one after the other: a chain of a thousand is no recursion.
    private void Settle(DateTimeOffset now)
    {
        while (_ended.TryDequeue(out var end))
        {
            if (_dependents.Remove(end.TaskId, out var dependents))
                dependents.ForEach(id => Meet(id, end.TaskId, end.State, now));
            if (_tasks[end.TaskId].Spec.ParentId is { } parentId && _tasks.TryGetValue(parentId, out var parent) && !parent.Run.State.IsOver())
                EndPart(parent, end.TaskId, end.State, now);
        }
    }

    private void Meet(string id, string ended, TaskState state, DateTimeOffset now)
    {
        if (!_tasks.TryGetValue(id, out var entry) || entry.Run.State.IsOver() || !entry.Run.WaitsFor.Contains(ended))
            return;
        if (entry.Spec.Dependencies.FirstOrDefault(one => one.TaskId == ended && !one.IsMetBy(state)) is not null)
        {
            End(entry, TaskState.Cancelled, now, Unmet(ended, state));
            return;
        }
        Change(entry, entry.Run with { WaitsFor = [.. entry.Run.WaitsFor.Where(other => other != ended)] });
        if (entry.Run.WaitsFor.Count == 0 && !entry.Spec.IsHeld)
            Ready(entry, now);
    }

    private void EndPart(Entry parent, string part, TaskState state, DateTimeOffset now)
    {
        var ended = new Dictionary<string, TaskState>(parent.Run.Ended) { [part] = state };
        Change(parent, parent.Run with { Ended = ended, Progress = (double)ended.Count / parent.Spec.Children.Count });
        if (ended.Count < parent.Spec.Children.Count)
        {
            // A gang of which a part is gone does not start any more.
            if (parent.Spec.IsGang && state != TaskState.Completed && _ready.Contains(parent.Spec.TaskId))
            {
                foreach (var other in parent.Spec.Children)
                {
                    if (_tasks.TryGetValue(other, out var entry))
                        CancelOne(entry, $"a part of the same gang, '{part}', {Word(state)}", now);
                }
                _ready.Remove(parent.Spec.TaskId);
            }
            return;
        }
        if (ended.Values.All(one => one == TaskState.Completed))
            End(parent, TaskState.Completed, now, null);
        else
            End(parent, ended.Values.Any(one => one is TaskState.Failed or TaskState.Timeout) ? TaskState.Failed : TaskState.Cancelled, now,
                $"{ended.Values.Count(one => one != TaskState.Completed)} of {ended.Count} parts did not complete");
    }

    private static string Unmet(string taskId, TaskState end) => $"the task '{taskId}' that it depends on {Word(end)}";

    private static string Word(TaskState end) => end switch
    {
        TaskState.Completed => "completed",
        TaskState.Cancelled => "was cancelled",
        TaskState.Timeout => "timed out",
        _ => "failed",
    };

    /// <summary>Gives out what can be given out now. Call once for all that happened since the last turn.</summary>
    public void Place(DateTimeOffset now)
    {
        var kept = KeepFree(now);
        if (kept is null && _keptFree)
            _ready.WakeAll();
        _keptFree = kept is not null;
        while (_ready.Next() is { } lane)
        {
            if (TryPlace(lane, kept, now))
                _ready.Take(lane);
            else
                lane.IsBlocked = true;
        }
    }

    // What waits too long for several devices, or for much of one, gets them one by one as they become free: nobody else is given them meanwhile.
    private HashSet<Seat>? KeepFree(DateTimeOffset now)
    {
        HashSet<Seat>? kept = null;
        foreach (var lane in _ready.Starving((now - ReserveAfter).UtcTicks).Take(MostReservations))
        {
            if (TryPlace(lane, kept, now))
            {
                _ready.Take(lane);
                continue;
            }
            var seats = _seats.All.Where(seat => kept?.Contains(seat) != true);
            if (GangMatch.Find(lane.Needs, seats.Where(seat => seat.IsPresent), seat => seat.Device.Slots) is { } wanted)
                (kept ??= []).UnionWith(wanted);
        }
        return kept;
    }

    private bool TryPlace(ReadyLane lane, HashSet<Seat>? kept, DateTimeOffset now)
    {
        var ids = lane.First!.TaskIds;
        if (ids.Count == 1)
        {
            var spec = _tasks[ids[0]].Spec;
            if (_seats.Pick(spec.Needs, spec.Strategy, kept) is not { } seat)
                return false;
            Assign(_tasks[ids[0]], seat, now);
            return true;
        }
        if (GangMatch.Find(lane.Needs, _seats.All.Where(seat => kept?.Contains(seat) != true), seat => seat.Device.Slots - seat.Tasks.Count) is not { } seats)
            return false;
        for (var i = 0; i < ids.Count; i++)
            Assign(_tasks[ids[i]], seats[i], now);
        return true;
    }

    private void Assign(Entry entry, Seat seat, DateTimeOffset now)
    {
        Occupy(seat, entry);
        seat.Served++;
        var attempts = entry.Run.Attempts + 1;
        var attempt = $"{entry.Spec.TaskId}.{attempts}";
        Change(entry, entry.Run with
        {
            State = TaskState.Assigned, Attempts = attempts, AttemptId = attempt, DeviceId = seat.Device.DeviceId, StartedAt = now, Progress = 0, DueAt = null,
        });
        WatchAttempt(entry);
        _effects.Add(new BoardEffect.Dispatch(entry.Spec.TaskId, attempt, seat.Device.DeviceId));
        if (entry.Spec.ParentId is { } parentId && _tasks.TryGetValue(parentId, out var parent) && parent.Run.State == TaskState.Queued)
            Change(parent, parent.Run with { State = TaskState.Running, StartedAt = now });
    }

    private static void Occupy(Seat seat, Entry entry)
    {
        seat.Tasks.Add(entry.Spec.TaskId);
        seat.Used += entry.Spec.Needs.Resources;
    }

    private void Free(Entry entry)
    {
        if (!entry.Run.IsOut || _seats.Find(entry.Run.DeviceId!) is not { } seat || !seat.Tasks.Remove(entry.Spec.TaskId))
            return;
        seat.Used -= entry.Spec.Needs.Resources;
        if (seat.IsPresent)
            _ready.Wake(seat.Device);
    }

    private void AddDependent(string other, string taskId)
    {
        if (!_dependents.TryGetValue(other, out var list))
            _dependents[other] = list = [];
        list.Add(taskId);
    }

    private void WatchDependencies(Entry entry)
    {
        foreach (var dependency in entry.Spec.Dependencies)
        {
            if (dependency.Timeout is { } patience && entry.Run.WaitsFor.Contains(dependency.TaskId))
                Set(Alarm.DependencyOver, entry.Spec.TaskId, dependency.TaskId, entry.Spec.CreatedAt + patience);
        }
    }

    private void WatchAttempt(Entry entry) => Set(Alarm.AttemptOver, entry.Spec.TaskId, entry.Run.AttemptId!, (entry.Run.StartedAt ?? entry.Spec.CreatedAt) + entry.Spec.Timeout);

    private void Set(Alarm kind, string id, string stamp, DateTimeOffset at)
    {
        // Most alarms are of attempts that ended long before.
        if (_alarms.Count > 4 * _tasks.Count + 10_000)
        {
            var live = _alarms.UnorderedItems.Where(item => item.Element.Kind == Alarm.DeviceGone ? _absent.ContainsKey(item.Element.Id)
                : _tasks.TryGetValue(item.Element.Id, out var entry) && (item.Element.Kind != Alarm.AttemptOver || entry.Run.AttemptId == item.Element.Stamp)).ToList();
            _alarms.Clear();
            _alarms.EnqueueRange(live);
        }
        _alarms.Enqueue((kind, id, stamp), at.UtcTicks);
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
