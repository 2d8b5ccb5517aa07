using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// The leader's tasks. One loop handles what devices say and hands work out; a task changes state only after the store has
/// accepted the change. On a node that does not lead the engine is empty and idle.
/// </summary>
internal sealed partial class TaskEngine(
    TaskStore store, DeviceHub hub, DeviceRegistry registry, TimeProvider time, ILogger<TaskEngine> log) : BackgroundService
{
    /// <summary>A device whose socket broke may come back with its result; after that its attempt is given to another.</summary>
    private static readonly TimeSpan ReconnectGrace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Channel<TaskEvent> _events = Channel.CreateBounded<TaskEvent>(new BoundedChannelOptions(100_000) { SingleReader = true });
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly OpenTasks _open = new();
    private readonly Dictionary<string, DateTimeOffset> _absentSince = new(StringComparer.Ordinal);
    private readonly TaskPlacement _placement = new(hub, registry);

    // Open while the tasks are loaded. Until then what devices say waits in the queue: a result must not meet an empty table.
    private volatile TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Post(TaskEvent happened)
    {
        if (!_events.Writer.TryWrite(happened))
            LogQueueFull();
    }

    /// <summary>Takes over the open tasks from the store. Call when this node starts to lead.</summary>
    /// <param name="term">The fencing token.</param>
    /// <exception cref="StoreUnavailableException">Nothing was taken over.</exception>
    public async Task LoadAsync(long term)
    {
        await _gate.WaitAsync();
        try
        {
            // Under the gate: what is submitted meanwhile is either in the answer or added after it.
            _open.Begin(term, await store.ReadOpenAsync());
            _absentSince.Clear();
            foreach (var device in _open.All.Select(task => task.DeviceId).OfType<string>().Where(device => hub.Find(device) is null))
                _absentSince[device] = time.GetUtcNow();
        }
        finally
        {
            _gate.Release();
        }
        _loaded.TrySetResult();
        Post(new TaskEvent.Sweep());
    }

    /// <summary>Forgets everything: another node leads.</summary>
    public async Task UnloadAsync()
    {
        await _gate.WaitAsync();
        if (_loaded.Task.IsCompleted)
            _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _open.End();
        _absentSince.Clear();
        _gate.Release();
    }

    /// <summary>Makes the task durable, then queues it.</summary>
    /// <exception cref="NotLeaderException">Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Whether it was written is unknown.</exception>
    public async Task<TaskView> SubmitAsync(TaskRequest request, string action)
    {
        var task = new TaskView
        {
            TaskId = Guid.CreateVersion7().ToString("N"),
            Name = request.Name ?? action,
            Action = action,
            Params = request.Params?.DeepClone(),
            TargetDevice = request.TargetDevice,
            RequiredCapabilities = request.RequiredCapabilities ?? [],
            Tags = request.Tags ?? [],
            Priority = request.Priority ?? 5,
            TimeoutSeconds = request.TimeoutSeconds ?? 300,
            MaxAttempts = request.MaxAttempts ?? 3,
            State = TaskState.Queued,
            TraceParent = TraceParent.Current,
            CreatedAt = time.GetUtcNow(),
        };
        task = await store.WriteAsync(task);
        GalaxyTrace.TaskSubmitted();
        // It is durable, so nobody waits until this term's table is loaded.
        if (!_events.Writer.TryWrite(new TaskEvent.Submitted(task)))
        {
            // A full queue may drop what devices say again; a task is said once.
            await _gate.WaitAsync();
            _open.Submitted(task);
            _gate.Release();
        }
        return task;
    }

    /// <summary>The stored task with the progress that only the leader knows of.</summary>
    public TaskView WithProgress(TaskView stored) =>
        _open.TryGet(stored.TaskId, out var live) && live.AttemptId == stored.AttemptId && !stored.IsOver ? stored with { State = live.State, Progress = live.Progress } : stored;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        hub.Gone += device => Post(new TaskEvent.DeviceGone(device));
        using var timer = new PeriodicTimer(SweepEvery, time);
        var ticking = TickAsync();
        await foreach (var happened in _events.Reader.ReadAllAsync(stoppingToken))
        {
            await EnterLoadedAsync(stoppingToken);
            try
            {
                await HandleAsync(happened);
            }
            catch (NotLeaderException)
            {
                // Another node leads; it has these tasks and their devices will tell it.
            }
            catch (StoreUnavailableException failure)
            {
                LogStoreUnavailable(failure.InnerException?.Message ?? failure.Message);
                Retry(happened, stoppingToken);
            }
            catch (Exception failure)
            {
                LogHandlerFailed(failure);
            }
            finally
            {
                _gate.Release();
            }
        }
        await ticking;

        async Task TickAsync()
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (_open.Count > 0)
                    Post(new TaskEvent.Sweep());
            }
        }
    }

    private async Task EnterLoadedAsync(CancellationToken stopping)
    {
        while (true)
        {
            await _loaded.Task.WaitAsync(stopping);
            await _gate.WaitAsync(stopping);
            if (_loaded.Task.IsCompleted)
                return;
            _gate.Release();
        }
    }

    // A result must not be lost because the store was away when it came.
    private void Retry(TaskEvent happened, CancellationToken stopping)
    {
        if (happened is not (TaskEvent.Result or TaskEvent.DeviceJoined))
            return;
        _ = Task.Delay(SweepEvery, time, stopping).ContinueWith(_ => Post(happened), stopping, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private async Task HandleAsync(TaskEvent happened)
    {
        switch (happened)
        {
            case TaskEvent.Submitted submitted:
                _open.Submitted(submitted.Task);
                break;
            case TaskEvent.DeviceJoined joined:
                await OnJoinedAsync(joined);
                break;
            case TaskEvent.DeviceGone gone when hub.Find(gone.DeviceId) is null && _open.All.Any(task => task.DeviceId == gone.DeviceId):
                _absentSince[gone.DeviceId] = time.GetUtcNow();
                break;
            case TaskEvent.Progress progress:
                if (Mine(progress.DeviceId, progress.TaskId, progress.AttemptId) is { } moving)
                    _open.Set(moving with { State = TaskState.Running, Progress = Math.Clamp(progress.Fraction, 0, 1) });
                break;
            case TaskEvent.Result result:
                await OnResultAsync(result);
                break;
        }
        await SweepAsync();
    }

    private async Task OnJoinedAsync(TaskEvent.DeviceJoined joined)
    {
        var session = joined.Session;
        // A device that introduces itself twice on one socket has lost nothing in between.
        if (session.TakesTasks || hub.Find(session.DeviceId) != session)
            return;
        _absentSince.Remove(session.DeviceId);
        var lost = _open.All.Where(task => task.DeviceId == session.DeviceId && !joined.Running.Contains(task.AttemptId)).ToList();
        foreach (var task in lost)
            await RequeueAsync(task, "the device came back without it");
        session.TakesTasks = true;
    }

    private async Task OnResultAsync(TaskEvent.Result result)
    {
        if (Mine(result.DeviceId, result.TaskId, result.AttemptId) is { } task)
        {
            if (result.Failed && task.Attempts < task.MaxAttempts)
                await RequeueAsync(task, result.Error);
            else
                await EndAsync(task with { Result = result.Output, Error = result.Failed ? result.Error : null }, result.Failed ? TaskState.Failed : TaskState.Completed);
        }
        // Recorded, or of no use any more: either way the device may forget it.
        if (hub.Find(result.DeviceId) is { IsAcknowledged: true } session)
            session.Send(new JsonObject { ["type"] = "result_ack", ["task_id"] = result.TaskId, ["attempt_id"] = result.AttemptId });
    }

    /// <summary>The open task whose present attempt is that device's; null for anybody else's or an older attempt's.</summary>
    private TaskView? Mine(string deviceId, string taskId, string attemptId) =>
        _open.TryGet(taskId, out var task) && task.DeviceId == deviceId && (attemptId.Length == 0 || attemptId == task.AttemptId) ? task : null;

    private async Task SweepAsync()
    {
        var now = time.GetUtcNow();
        foreach (var task in _open.All.Where(task => task.AttemptId is not null).ToList())
        {
            if (task.StartedAt is { } started && now - started > TimeSpan.FromSeconds(task.TimeoutSeconds))
                await OverdueAsync(task);
            else if (_absentSince.TryGetValue(task.DeviceId!, out var since) && now - since > ReconnectGrace)
                await RequeueAsync(task, "the device did not come back");
        }
        foreach (var (task, device) in _placement.Next(_open))
            await AssignAsync(task, device, now);
    }

    private async Task OverdueAsync(TaskView task)
    {
        hub.Find(task.DeviceId!)?.Send(new JsonObject { ["type"] = "cancel", ["task_id"] = task.TaskId, ["attempt_id"] = task.AttemptId });
        if (task.Attempts < task.MaxAttempts)
            await RequeueAsync(task, $"no result within {task.TimeoutSeconds:0.###} s");
        else
            await EndAsync(task with { Error = $"no result within {task.TimeoutSeconds:0.###} s" }, TaskState.Timeout);
    }

    private async Task AssignAsync(TaskView task, string deviceId, DateTimeOffset now)
    {
        using var activity = GalaxyTrace.Source.Start("task.dispatch", ActivityKind.Producer, task.TraceParent);
        activity?.SetTag("galaxy.task.id", task.TaskId);
        activity?.SetTag("galaxy.device.id", deviceId);
        var assigned = await store.WriteAsync(task with
        {
            State = TaskState.Assigned,
            DeviceId = deviceId,
            Attempts = task.Attempts + 1,
            AttemptId = $"{task.TaskId}.{task.Attempts + 1}",
            StartedAt = now,
        });
        _open.Set(assigned);
        if (hub.Find(deviceId) is not { TakesTasks: true } session || !session.Send(TaskMessages.Assignment(assigned, session.IsAcknowledged, TraceParent.Current)))
            _absentSince.TryAdd(deviceId, now);
    }

    private async Task RequeueAsync(TaskView task, string reason)
    {
        LogRequeued(task.TaskId, task.DeviceId ?? "", reason);
        if (task.Attempts >= task.MaxAttempts)
        {
            await EndAsync(task with { Error = reason }, TaskState.Failed);
            return;
        }
        _open.Set(await store.WriteAsync(
            task with { State = TaskState.Retrying, DeviceId = null, AttemptId = null, StartedAt = null, Error = reason }));
    }

    private async Task EndAsync(TaskView task, TaskState state)
    {
        using var activity = GalaxyTrace.Source.Start("task.finish", ActivityKind.Internal, task.TraceParent);
        activity?.SetTag("galaxy.task.id", task.TaskId);
        activity?.SetTag("galaxy.task.state", state.ToString());
        await store.WriteAsync(task with { State = state, CompletedAt = time.GetUtcNow(), Progress = state == TaskState.Completed ? 1 : task.Progress });
        _open.Remove(task.TaskId);
        GalaxyTrace.TaskFinished(state.ToString());
    }

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {TaskId} goes back to the queue, was on '{Device}': {Reason}")]
    private partial void LogRequeued(string taskId, string device, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The task queue is full; an event was dropped")]
    private partial void LogQueueFull();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Tasks wait for the store: {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The task loop goes on after an error")]
    private partial void LogHandlerFailed(Exception failure);
}
