namespace Galaxy.Core.Scheduling;

public sealed partial class TaskBoard
{
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
        Change(
            entry,
            run with
            {
                State = TaskState.Retrying,
                AttemptId = null,
                DeviceId = null,
                StartedAt = null,
                Progress = 0,
                DueAt = null,
                Error = reason,
            }
        );
        LineUp(entry);
    }

    private void Fail(
        Entry entry,
        string outcome,
        TaskState end,
        string error,
        DateTimeOffset now,
        ReadOnlyMemory<byte> output = default
    )
    {
        if (!entry.Spec.Retry.Allows(entry.Run.Attempts, error))
        {
            End(entry, end, now, error, output);
            return;
        }
        Free(entry);
        var due = now + entry.Spec.Retry.DelayAfter(entry.Run.Attempts);
        Change(
            entry,
            entry.Run.WithPast(outcome, error, now) with
            {
                State = TaskState.Retrying,
                AttemptId = null,
                DeviceId = null,
                StartedAt = null,
                Progress = 0,
                DueAt = due,
                Error = error,
            }
        );
        Set(Alarm.Due, entry.Spec.TaskId, "", due);
    }

    private void End(
        Entry entry,
        TaskState state,
        DateTimeOffset now,
        string? error,
        ReadOnlyMemory<byte> output = default
    )
    {
        Free(entry);
        _ready.Remove(entry.Spec.TaskId);
        Change(
            entry,
            entry.Run with
            {
                State = state,
                CompletedAt = now,
                Error = error,
                Result = output,
                DueAt = null,
                WaitsFor = [],
                Progress = state == TaskState.Completed ? 1 : entry.Run.Progress,
            }
        );
        _ended.Enqueue((entry.Spec.TaskId, state));
    }

    // What the end of one means for others, one after the other: a chain of a thousand is no recursion.
    private void Settle(DateTimeOffset now)
    {
        while (_ended.TryDequeue(out var end))
        {
            if (_dependents.Remove(end.TaskId, out var dependents))
                dependents.ForEach(id => Meet(id, end.TaskId, end.State, now));
            if (
                _tasks[end.TaskId].Spec.ParentId is { } parentId
                && _tasks.TryGetValue(parentId, out var parent)
                && !parent.Run.State.IsOver()
            )
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
            End(
                parent,
                ended.Values.Any(one => one is TaskState.Failed or TaskState.Timeout)
                    ? TaskState.Failed
                    : TaskState.Cancelled,
                now,
                $"{ended.Values.Count(one => one != TaskState.Completed)} of {ended.Count} parts did not complete"
            );
    }

    private static string Unmet(string taskId, TaskState end) => $"the task '{taskId}' that it depends on {Word(end)}";

    private static string Word(TaskState end) =>
        end switch
        {
            TaskState.Completed => "completed",
            TaskState.Cancelled => "was cancelled",
            TaskState.Timeout => "timed out",
            _ => "failed",
        };
}
