namespace Galaxy.Core.Scheduling;

public sealed partial class TaskBoard
{
    /// <summary>Does what is due.</summary>
    /// <param name="weigh">What it costs that something is due for a task; null: nothing.</param>
    /// <param name="budget">It ends with the task that passes this.</param>
    /// <returns>False: the budget is used up, and something may be left.</returns>
    public bool Tick(DateTimeOffset now, Func<string, long>? weigh = null, long budget = long.MaxValue)
    {
        while (budget > 0 && _alarms.TryPeek(out var alarm, out var at) && at <= now.UtcTicks)
        {
            _alarms.Dequeue();
            if (weigh is not null)
                budget -=
                    alarm.Kind == Alarm.DeviceGone ? _seats.Find(alarm.Id)?.Tasks.Sum(weigh) ?? 0 : weigh(alarm.Id);
            Ring(alarm.Kind, alarm.Id, alarm.Stamp, now);
        }
        Settle(now);
        _ready.Compact();
        return budget > 0;
    }

    private void Ring(Alarm kind, string id, string stamp, DateTimeOffset now)
    {
        if (kind == Alarm.DeviceGone)
        {
            if (
                _absent.TryGetValue(id, out var last)
                && last == stamp
                && _absent.Remove(id)
                && _seats.Find(id) is { } seat
            )
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
                Fail(
                    entry,
                    "timeout",
                    TaskState.Timeout,
                    $"no result within {entry.Spec.Timeout.TotalSeconds:0.###} s",
                    now
                );
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

    // The id of a copy contains its due time: it is made once, whichever node leads. While the last copy is unfinished,
    // none is made.
    private void Copy(Entry template, string cron, DateTimeOffset due, DateTimeOffset now)
    {
        var id = $"{template.Spec.TaskId}-{due.UtcDateTime:yyyyMMddHHmmss}";
        var busy = template.Run.LastCopy is { } last && _tasks.ContainsKey(last);
        if (nextTime(cron, now > due ? now : due) is { } next)
        {
            // While the last copy is at work nothing of it is worth a write: the next leader finds the time past, and
            // looks on from there.
            if (busy)
                template.Run = template.Run with { DueAt = next };
            else
                Change(template, template.Run with { DueAt = next, LastCopy = id });
            Set(Alarm.Due, template.Spec.TaskId, "", next);
        }
        else
        {
            template.Run = template.Run with { LastCopy = id };
            End(template, TaskState.Completed, now, null);
        }
        if (busy)
            return;
        var copy = new Entry(
            template.Spec with
            {
                TaskId = id,
                Cron = null,
                NotBefore = null,
                Dependencies = [],
                CreatedAt = now,
            },
            new TaskRun { State = TaskState.Pending }
        )
        {
            CopyOf = template.Spec.TaskId,
            IsNew = true,
        };
        _tasks[id] = copy;
        Ready(copy, now);
    }

    private void WatchDependencies(Entry entry)
    {
        foreach (var dependency in entry.Spec.Dependencies)
        {
            if (dependency.Timeout is { } patience && entry.Run.WaitsFor.Contains(dependency.TaskId))
                Set(Alarm.DependencyOver, entry.Spec.TaskId, dependency.TaskId, entry.Spec.CreatedAt + patience);
        }
    }

    private void WatchAttempt(Entry entry) =>
        Set(
            Alarm.AttemptOver,
            entry.Spec.TaskId,
            entry.Run.AttemptId!,
            (entry.Run.StartedAt ?? entry.Spec.CreatedAt) + entry.Spec.Timeout
        );

    private void Set(Alarm kind, string id, string stamp, DateTimeOffset at)
    {
        // Most alarms are of attempts that ended long before.
        if (_alarms.Count > 4 * _tasks.Count + 10_000)
        {
            var live = _alarms
                .UnorderedItems.Where(item =>
                    item.Element.Kind == Alarm.DeviceGone
                        ? _absent.ContainsKey(item.Element.Id)
                        : _tasks.TryGetValue(item.Element.Id, out var entry)
                            && (item.Element.Kind != Alarm.AttemptOver || entry.Run.AttemptId == item.Element.Stamp)
                )
                .ToList();
            _alarms.Clear();
            _alarms.EnqueueRange(live);
        }
        _alarms.Enqueue((kind, id, stamp), at.UtcTicks);
    }
}
