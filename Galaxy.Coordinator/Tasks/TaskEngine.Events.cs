using System.Diagnostics;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Fencing;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Scheduling;
using Galaxy.ServiceDefaults.Telemetry;
using CoreState = Galaxy.Core.Scheduling.TaskState;

namespace Galaxy.Coordinator.Tasks;

internal sealed partial class TaskEngine
{
    private const int MostRecentKeys = 20_000;
    private const int MostLateResults = 10;

    private readonly List<TaskEvent.Request> _asides = [];

    private void Handle(TaskEvent happened, DateTimeOffset now)
    {
        switch (happened)
        {
            case TaskEvent.Submit submit:
                OnSubmit(submit, now);
                break;
            case TaskEvent.Cancel cancel:
                Await(cancel, cancel.TaskId, _board.Cancel(cancel.TaskId, cancel.Reason, now));
                break;
            case TaskEvent.Release release:
                OnRelease(release, now);
                break;
            case TaskEvent.Reload reload:
                _asides.Add(reload);
                break;
            case TaskEvent.Drop drop:
                _asides.Add(drop);
                break;
            case TaskEvent.DeviceJoined joined:
                OnJoined(joined, now);
                break;
            case TaskEvent.DeviceChanged changed when hub.Find(changed.DeviceId) is { TakesTasks: true } && Device(changed.DeviceId) is { } device:
                _board.Arrive(device, null, now);
                break;
            case TaskEvent.DeviceGone gone when hub.Find(gone.DeviceId) is null:
                _board.Leave(gone.DeviceId, now);
                break;
            case TaskEvent.Progress progress:
                OnProgress(progress);
                break;
            case TaskEvent.Result result:
                _board.Result(result.DeviceId, result.TaskId, result.AttemptId, result.Failed, result.Output, result.Error, now);
                break;
        }
    }

    private void Await(TaskEvent.Request request, string taskId, bool exists)
    {
        if (exists)
            _waiting.Add((request, taskId));
        else
            request.Answer.TrySetResult(null);
    }

    private void OnSubmit(TaskEvent.Submit submit, DateTimeOffset now)
    {
        var first = submit.Tasks[0];
        if (first.Idempotency is { } key)
        {
            // Two at the same moment: the first is it.
            if (_recentKeys.TryGetValue(key.Split(' ')[0], out var known))
            {
                submit.Answer.TrySetException(new AlreadySubmittedException(known));
                return;
            }
            if (_recentKeys.Count >= MostRecentKeys)
                _recentKeys.Clear();
            _recentKeys[key.Split(' ')[0]] = first.TaskId;
        }
        else if (_tasks.ContainsKey(first.TaskId))
        {
            submit.Answer.TrySetException(new AlreadySubmittedException(first.TaskId));
            return;
        }
        foreach (var task in submit.Tasks)
            _tasks[task.TaskId] = task;
        _board.Submit([.. submit.Tasks.Select(task => task.ToSpec())],
            id => _recentEnds.TryGetValue(id, out var recent) ? recent : submit.Ends.TryGetValue(id, out var end) ? (CoreState)end : null, now);
        foreach (var (taskId, why) in submit.Refused)
            _board.Refuse(taskId, why, now);
        _waiting.Add((submit, first.TaskId));
        GalaxyTrace.TaskSubmitted();
    }

    private void OnRelease(TaskEvent.Release release, DateTimeOffset now)
    {
        if (!_tasks.TryGetValue(release.TaskId, out var task))
        {
            release.Answer.TrySetResult(null);
            return;
        }
        foreach (var id in task.Subtasks?.Select(part => part.TaskId) ?? [task.TaskId])
            _board.Release(id, now);
        _waiting.Add((release, release.TaskId));
    }

    // After the turn's own batch: these read and write the store themselves.
    private async Task CarryOutAsync(TaskEvent.Request aside)
    {
        switch (aside)
        {
            case TaskEvent.Drop drop:
                await CommitAsync(new TaskBatch([]) { Forgotten = [new TaskView { TaskId = drop.TaskId, Name = "", Action = "" }] });
                break;
            case TaskEvent.Reload reload when await ReadAsync(reload.TaskId) is { IsOver: false } task && !_tasks.ContainsKey(task.TaskId):
                // What waits for it, and what it waits for, is found by loading everything anew.
                quarantine.Release(Quarantine.Tasks, task.TaskId);
                await TakeOverAsync(_term);
                foreach (var device in hub.DeviceIds.Where(id => hub.Find(id) is { TakesTasks: true }))
                    Post(new TaskEvent.DeviceChanged(device));
                break;
        }
        aside.Answer.TrySetResult(null);
    }

    private BoardDevice? Device(string deviceId) =>
        registry.Get(deviceId) is { } device ? device.ToBoard(device.State is not ("maintenance" or "error" or "offline")) : null;

    private void OnJoined(TaskEvent.DeviceJoined joined, DateTimeOffset now)
    {
        var session = joined.Session;
        if (hub.Find(session.DeviceId) != session || Device(session.DeviceId) is not { } device)
            return;
        // A device that introduces itself twice on one socket has lost nothing in between.
        _board.Arrive(device, session.TakesTasks ? null : joined.Running, now);
        session.TakesTasks = true;
    }

    private void OnProgress(TaskEvent.Progress progress)
    {
        if (!_board.Progress(progress.DeviceId, progress.TaskId, progress.AttemptId, progress.Fraction) || _board.RunOf(progress.TaskId) is not { } run)
            return;
        var moving = _tasks[progress.TaskId].With(run);
        _tasks[progress.TaskId] = moving;
        feed.Publish(moving);
    }

    private async Task CarryOutAsync(IReadOnlyList<BoardEffect> effects, DateTimeOffset now)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case BoardEffect.Dispatch dispatch:
                    Dispatch(dispatch, now);
                    break;
                case BoardEffect.Recall recall when hub.Find(recall.DeviceId) is { IsAcknowledged: true } session:
                    session.Send(TaskMessages.Cancel(recall.TaskId, recall.AttemptId));
                    break;
                case BoardEffect.Acknowledge acknowledge:
                    Acknowledge(acknowledge.DeviceId, acknowledge.TaskId, acknowledge.AttemptId);
                    break;
                case BoardEffect.KeepLate late:
                    await KeepLateAsync(late, now);
                    break;
            }
        }
    }

    private void Dispatch(BoardEffect.Dispatch dispatch, DateTimeOffset now)
    {
        if (!_tasks.TryGetValue(dispatch.TaskId, out var task) || task.AttemptId != dispatch.AttemptId)
            return;
        using var activity = task.TraceParent is null ? null : GalaxyTrace.Source.Start("task.dispatch", ActivityKind.Producer, task.TraceParent);
        activity?.SetTag("galaxy.task.id", task.TaskId);
        activity?.SetTag("galaxy.device.id", dispatch.DeviceId);
        if (hub.Find(dispatch.DeviceId) is { TakesTasks: true } session && session.Send(TaskMessages.Assignment(task, session.IsAcknowledged, TraceParent.Current)))
            return;
        _board.NotDelivered(dispatch.DeviceId, dispatch.TaskId, dispatch.AttemptId, now);
        Post(new TaskEvent.Tick());
    }

    // Recorded, or of no use any more: either way the device may forget it.
    private void Acknowledge(string deviceId, string taskId, string attemptId)
    {
        if (hub.Find(deviceId) is { IsAcknowledged: true } session)
            session.Send(TaskMessages.ResultAcknowledged(taskId, attemptId));
    }

    /// <summary>Only for an attempt that this device really had; whatever else devices claim is answered and forgotten.</summary>
    private async Task KeepLateAsync(BoardEffect.KeepLate late, DateTimeOffset now)
    {
        var task = Find(late.TaskId) ?? await ReadAsync(late.TaskId);
        if (task is not null && task.AttemptId != late.AttemptId && task.History?.Any(past => past.AttemptId == late.AttemptId && past.DeviceId == late.DeviceId) == true
            && task.LateResults?.Any(one => one.AttemptId == late.AttemptId) != true)
        {
            var output = late.Output.IsEmpty ? (System.Text.Json.JsonElement?)null : TaskMapping.Parse(late.Output);
            var kept = task with
            {
                LateResults = [.. (task.LateResults ?? []).TakeLast(MostLateResults - 1), new LateResult(late.AttemptId, late.DeviceId, now, late.Failed, output, late.Failed ? late.Error : null)],
                Token = _term,
            };
            await CommitAsync(new TaskBatch([kept]));
            if (!kept.IsOver)
                _tasks[kept.TaskId] = kept;
            LogLate(late.TaskId, late.AttemptId, late.DeviceId);
        }
        Acknowledge(late.DeviceId, late.TaskId, late.AttemptId);
    }

    private async Task<TaskView?> ReadAsync(string taskId)
    {
        while (true)
        {
            try
            {
                return await store.ReadAsync(taskId);
            }
            catch (StoreUnavailableException failure)
            {
                LogStoreUnavailable(failure.InnerException?.Message.Split(',')[0] ?? failure.Message);
                await Task.Delay(RetryStoreEvery, time);
                if (_loaded.Task.IsCompleted is false)
                    return null;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The result of {Attempt} by '{Device}' came after it was given up; it is kept with task {TaskId}")]
    private partial void LogLate(string taskId, string attempt, string device);
}

/// <summary>The same was submitted before.</summary>
internal sealed class AlreadySubmittedException(string taskId) : Exception($"submitted before as {taskId}")
{
    public string TaskId { get; } = taskId;
}

/// <summary>More is asked of the leader than it can take; nothing was written.</summary>
internal sealed class TaskQueueFullException() : Exception("The leader has more to do than it can take.");
