namespace Galaxy.Core.Scheduling;

public sealed partial class TaskBoard
{
    /// <summary>Gives out what can be given out now. Call once for all that happened since the last turn.</summary>
    /// <param name="weigh">What giving out a task costs; null: nothing.</param>
    /// <param name="budget">It ends with the task that passes this.</param>
    /// <returns>False: the budget is used up, and something may be left.</returns>
    public bool Place(DateTimeOffset now, Func<string, long>? weigh = null, long budget = long.MaxValue)
    {
        var kept = KeepFree(now);
        if (kept is null && _keptFree)
            _ready.WakeAll();
        _keptFree = kept is not null;
        while (_ready.Next() is { } lane)
        {
            if (budget <= 0)
                return false;
            var ids = lane.First!.TaskIds;
            if (TryPlace(lane, kept, now))
            {
                _ready.Take(lane);
                budget -= weigh is null ? 0 : ids.Sum(weigh);
            }
            else
            {
                lane.IsBlocked = true;
            }
        }
        return true;
    }

    // A task that waits too long for several devices, or for much of one, gets them one by one as they become free: no
    // other task is placed on them meanwhile.
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
            if (
                GangMatch.Find(lane.Needs, seats.Where(seat => seat.IsPresent), seat => seat.Device.Slots) is { } wanted
            )
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
        if (
            GangMatch.Find(lane.Needs, _seats.All.Where(seat => kept?.Contains(seat) != true), seat =>
                seat.Device.Slots - seat.Tasks.Count
            )
            is not { } seats
        )
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
        Change(
            entry,
            entry.Run with
            {
                State = TaskState.Assigned,
                Attempts = attempts,
                AttemptId = attempt,
                DeviceId = seat.Device.DeviceId,
                StartedAt = now,
                Progress = 0,
                DueAt = null,
            }
        );
        WatchAttempt(entry);
        _effects.Add(new BoardEffect.Dispatch(entry.Spec.TaskId, attempt, seat.Device.DeviceId));
        if (
            entry.Spec.ParentId is { } parentId
            && _tasks.TryGetValue(parentId, out var parent)
            && parent.Run.State == TaskState.Queued
        )
            Change(parent, parent.Run with { State = TaskState.Running, StartedAt = now });
    }

    private static void Occupy(Seat seat, Entry entry)
    {
        seat.Tasks.Add(entry.Spec.TaskId);
        seat.Used += entry.Spec.Needs.Resources;
    }

    private void Free(Entry entry)
    {
        if (
            !entry.Run.IsOut
            || _seats.Find(entry.Run.DeviceId!) is not { } seat
            || !seat.Tasks.Remove(entry.Spec.TaskId)
        )
            return;
        seat.Used -= entry.Spec.Needs.Resources;
        if (seat.IsPresent)
            _ready.Wake(seat.Device);
    }
}
