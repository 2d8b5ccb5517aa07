using System.Diagnostics;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Scheduling;
using Galaxy.ServiceDefaults.Telemetry;
using CoreState = Galaxy.Core.Scheduling.TaskState;

namespace Galaxy.Coordinator.Tasks;

internal sealed partial class TaskEngine
{
    private const int MaxRecentKeys = 50_000;
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
            case TaskEvent.DeviceChanged changed
                when hub.Find(changed.DeviceId) is { TakesTasks: true } && Device(changed.DeviceId) is { } device:
                _board.Arrive(device, null, now);
                break;
            case TaskEvent.DeviceGone gone when hub.Find(gone.DeviceId) is null:
                _board.Leave(gone.DeviceId, now);
                break;
            case TaskEvent.Progress progress:
                OnProgress(progress);
                break;
            case TaskEvent.Result result:
                _board.Result(
                    result.DeviceId,
                    result.TaskId,
                    result.AttemptId,
                    result.Failed,
                    result.Output,
                    result.Error,
                    now
                );
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
        // Whether its keys were used was asked of the store before the tasks were taken over: another leader may have
        // accepted them since.
        if (submit.Takeover is { } asked && asked != _takeover)
        {
            submit.Answer.TrySetException(new NotLeaderException());
            return;
        }
        if (_tasks.Count >= TaskSize.MaxOpenCount || _sizes.Total + submit.Bytes > TaskSize.MaxOpen)
        {
            submit.Answer.TrySetException(
                new TaskQueueFullException(
                    $"{_tasks.Count:N0} tasks of {_sizes.Total / 1024 / 1024:N0} MiB are open; allowed are "
                        + $"{TaskSize.MaxOpenCount:N0} of {TaskSize.MaxOpen / 1024 / 1024:N0} MiB. Wait until "
                        + "some are done, or cancel some."
                )
                {
                    IsOfTasks = true,
                }
            );
            return;
        }
        if (_sizes.WithFamily(submit.Submissions, submit.Bytes) is var family && family > TaskSize.MaxFamily)
        {
            submit.Answer.TrySetException(
                new TaskTooLargeException(
                    $"'dependencies': with these, {family / 1024 / 1024} MiB of open tasks would hang "
                        + $"together; allowed are {TaskSize.MaxFamily / 1024 / 1024} MiB. Wait until some of "
                        + "them are done, or depend on fewer."
                )
            );
            return;
        }
        // Two at the same moment: the first is it, and the second is answered when the first is durable.
        var known = submit.Submissions.Select(tasks => FindRecent(tasks[0].Idempotency)).ToList();
        for (var i = 0; i < known.Count; i++)
        {
            if (known[i] is { } other && other.Mark != submit.Submissions[i][0].Idempotency)
            {
                submit.Answer.TrySetException(new KeyReusedException(other.Mark));
                return;
            }
        }
        submit.TaskIds = [.. submit.Submissions.Select((tasks, i) => known[i]?.TaskId ?? tasks[0].TaskId)];
        Accept([.. submit.Submissions.Where((_, i) => known[i] is null)], submit, now);
        _waiting.Add((submit, submit.TaskIds[0]));
    }

    private void Accept(IReadOnlyList<IReadOnlyList<TaskView>> submissions, TaskEvent.Submit submit, DateTimeOffset now)
    {
        var fresh = submissions.SelectMany(tasks => tasks).ToList();
        foreach (var task in fresh)
            Keep(task);
        foreach (var task in fresh)
            _sizes.Join(task);
        _board.Submit(
            [.. fresh.Select(task => task.ToSpec())],
            id =>
                _recentEnds.TryGetValue(id, out var recent) ? recent
                : submit.Ends.TryGetValue(id, out var end) ? (CoreState)end
                : null,
            now
        );
        foreach (var (taskId, why) in submit.Refused)
            _board.Refuse(taskId, why, now);
        foreach (var tasks in submissions)
        {
            NoteKey(tasks[0]);
            GalaxyTrace.TaskSubmitted();
        }
    }

    private (string TaskId, string Mark)? FindRecent(string? mark) =>
        mark is not null && _recentKeys.TryGetValue(SubmissionKey.NameOf(mark), out var known) ? known : null;

    // The oldest are in the store long before they are forgotten here.
    private void NoteKey(TaskView task)
    {
        if (task.Idempotency is not { } mark)
            return;
        var name = SubmissionKey.NameOf(mark);
        _recentKeys[name] = (task.TaskId, mark);
        _recentKeysInOrder.Enqueue(name);
        while (_recentKeysInOrder.Count > MaxRecentKeys)
            _recentKeys.Remove(_recentKeysInOrder.Dequeue());
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

    // After the turn's own batch: these read and write the store themselves. Each is tried once, whatever comes of it.
    private async Task CarryOutAsidesAsync()
    {
        if (_asides.Count == 0)
            return;
        TaskEvent.Request[] asides = [.. _asides];
        _asides.Clear();
        foreach (var aside in asides)
        {
            try
            {
                await CarryOutAsync(aside);
                aside.Answer.TrySetResult(null);
            }
            catch (Exception failure)
            {
                foreach (var one in asides)
                    one.Answer.TrySetException(failure);
                throw;
            }
        }
    }

    private async Task CarryOutAsync(TaskEvent.Request aside)
    {
        switch (aside)
        {
            case TaskEvent.Drop drop:
                await CommitAsync(
                    new TaskBatch([])
                    {
                        Forgotten =
                        [
                            new TaskView
                            {
                                TaskId = drop.TaskId,
                                Name = "",
                                Action = "",
                            },
                        ],
                    }
                );
                break;
            case TaskEvent.Reload live when _tasks.TryGetValue(live.TaskId, out var kept):
                // Only what is stored of it was spoilt: it is written anew from what the board has.
                await CommitAsync(new TaskBatch([kept]));
                quarantine.Release(Quarantine.Tasks, live.TaskId);
                break;
            case TaskEvent.Reload reload
                when await ReadAsync(reload.TaskId) is { IsOver: false } task && !_tasks.ContainsKey(task.TaskId):
                // What waits for it, and what it waits for, is found by loading everything anew.
                quarantine.Release(Quarantine.Tasks, task.TaskId);
                await TakeOverAsync(_term);
                foreach (var device in hub.DeviceIds.Where(id => hub.Find(id) is { TakesTasks: true }))
                    Post(new TaskEvent.DeviceChanged(device));
                break;
        }
    }

    private BoardDevice? Device(string deviceId) =>
        registry.Get(deviceId) is { } device
            ? device.ToBoard(device.State is not ("maintenance" or "error" or "offline"))
            : null;

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
        if (
            !_board.Progress(progress.DeviceId, progress.TaskId, progress.AttemptId, progress.Fraction)
            || _board.RunOf(progress.TaskId) is not { } run
        )
            return;
        var moving = _tasks[progress.TaskId].With(run);
        Keep(moving);
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
        using var activity = task.TraceParent is null
            ? null
            : GalaxyTrace.Source.Start("task.dispatch", ActivityKind.Producer, task.TraceParent);
        activity?.SetTag("galaxy.task.id", task.TaskId);
        activity?.SetTag("galaxy.device.id", dispatch.DeviceId);
        if (
            hub.Find(dispatch.DeviceId) is { TakesTasks: true } session
            && session.Send(TaskMessages.Assignment(task, session.IsAcknowledged, TraceParent.Current))
        )
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

    /// <summary>
    /// Only for an attempt that this device really had; whatever else devices claim is answered and forgotten.
    /// </summary>
    private async Task KeepLateAsync(BoardEffect.KeepLate late, DateTimeOffset now)
    {
        var task = Find(late.TaskId) ?? await ReadAsync(late.TaskId);
        if (
            task is not null
            && task.AttemptId != late.AttemptId
            && task.History?.Any(past => past.AttemptId == late.AttemptId && past.DeviceId == late.DeviceId) == true
            && task.LateResults?.Any(one => one.AttemptId == late.AttemptId) != true
        )
        {
            var output =
                late.Output.IsEmpty || late.Output.Length > TaskSize.MaxLateOutput
                    ? (System.Text.Json.JsonElement?)null
                    : TaskMapping.Parse(late.Output);
            var kept = task with
            {
                LateResults =
                [
                    .. (task.LateResults ?? []).TakeLast(MostLateResults - 1),
                    new LateResult(
                        late.AttemptId,
                        late.DeviceId,
                        now,
                        late.Failed,
                        output,
                        late.Failed ? late.Error : null
                    ),
                ],
                Token = _term,
            };
            await CommitAsync(new TaskBatch([kept]));
            if (!kept.IsOver)
                Keep(kept);
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The result of {Attempt} by '{Device}' came after it was given up; it is kept with task {TaskId}"
    )]
    private partial void LogLate(string taskId, string attempt, string device);
}

/// <summary>More is asked of the leader than it can take; nothing was written.</summary>
internal sealed class TaskQueueFullException(string? message = null)
    : Exception(message ?? "The leader has more to do than it can take.")
{
    /// <summary>It is not a moment's rush: so many tasks are open.</summary>
    public bool IsOfTasks { get; init; }
}
