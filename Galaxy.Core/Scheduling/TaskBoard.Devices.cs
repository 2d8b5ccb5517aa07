namespace Galaxy.Core.Scheduling;

public sealed partial class TaskBoard
{
    /// <summary>A device is there, or has changed.</summary>
    /// <param name="attempts">What it still runs or has a result of; null: it cannot tell, and keeps what it was
    /// given.</param>
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
        Change(
            entry,
            entry.Run with
            {
                State = TaskState.Running,
                AttemptId = attempt,
                DeviceId = seat.Device.DeviceId,
                StartedAt = past.StartedAt,
                DueAt = null,
                Error = null,
                History = [.. entry.Run.History.SkipLast(1)],
            }
        );
        WatchAttempt(entry);
    }

    private static bool WasGivenUp(Entry entry, string deviceId, string attempt) =>
        entry.Run is { IsOut: false, History: [.., { Outcome: "lost" } last] }
        && last.AttemptId == attempt
        && last.DeviceId == deviceId;

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
        entry.Run = entry.Run with
        {
            State = TaskState.Running,
            Progress = Math.Max(entry.Run.Progress, Math.Clamp(fraction, 0, 1)),
        };
        return true;
    }

    /// <summary>A device tells how an attempt ended.</summary>
    /// <param name="attemptId">Empty from devices that do not know attempts.</param>
    /// <param name="output">JSON; empty: none.</param>
    public void Result(
        string deviceId,
        string taskId,
        string attemptId,
        bool failed,
        ReadOnlyMemory<byte> output,
        string error,
        DateTimeOffset now
    )
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
            // The attempt was given up, and no other attempt has begun: the result counts.
            _ready.Remove(taskId);
            var run = given.Run with
            {
                AttemptId = attemptId,
                DeviceId = deviceId,
                StartedAt = given.Run.History[^1].StartedAt,
                History = [.. given.Run.History.SkipLast(1)],
            };
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
}
