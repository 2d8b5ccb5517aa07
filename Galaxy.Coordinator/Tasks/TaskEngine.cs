using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Election;
using Galaxy.Core.Scheduling;
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
    private readonly Dictionary<string, TaskView> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _absentSince = new(StringComparer.Ordinal);
    private readonly Random _random = new();

    public void Post(TaskEvent happened)
    {
        if (!_events.Writer.TryWrite(happened))
            LogQueueFull();
    }

    /// <summary>Takes over the open tasks from the store. Call once, when this node starts to lead.</summary>
    public async Task LoadAsync()
    {
        var tasks = await store.ReadOpenAsync();
        await _gate.WaitAsync();
        try
        {
            _open.Clear();
            _absentSince.Clear();
            foreach (var task in tasks)
            {
                _open[task.TaskId] = task;
                if (task.DeviceId is { } device && hub.Find(device) is null)
                    _absentSince[device] = time.GetUtcNow();
            }
        }
        finally
        {
            _gate.Release();
        }
        Post(new TaskEvent.Sweep());
    }

    /// <summary>Forgets everything: another node leads.</summary>
    public async Task UnloadAsync()
    {
        await _gate.WaitAsync();
        _open.Clear();
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
        await _gate.WaitAsync();
        _open[task.TaskId] = task;
        _gate.Release();
        GalaxyTrace.TasksSubmitted.Add(1);
        Post(new TaskEvent.Sweep());
        return task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        hub.Gone += device => Post(new TaskEvent.DeviceGone(device));
        using var timer = new PeriodicTimer(SweepEvery, time);
        var ticking = TickAsync();
        await foreach (var happened in _events.Reader.ReadAllAsync(stoppingToken))
        {
            await _gate.WaitAsync(stoppingToken);
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
            case TaskEvent.DeviceJoined joined:
                await OnJoinedAsync(joined);
                break;
            case TaskEvent.DeviceGone gone when hub.Find(gone.DeviceId) is null && _open.Values.Any(task => task.DeviceId == gone.DeviceId):
                _absentSince[gone.DeviceId] = time.GetUtcNow();
                break;
            case TaskEvent.Progress progress:
                if (Mine(progress.DeviceId, progress.TaskId, progress.AttemptId) is { } moving)
                    _open[moving.TaskId] = moving with { State = TaskState.Running, Progress = Math.Clamp(progress.Fraction, 0, 1) };
                break;
            case TaskEvent.Result result:
                await OnResultAsync(result);
                break;
        }
        await SweepAsync();
    }

    private async Task OnJoinedAsync(TaskEvent.DeviceJoined joined)
    {
        _absentSince.Remove(joined.DeviceId);
        var lost = _open.Values.Where(task => task.DeviceId == joined.DeviceId && !joined.Running.Contains(task.AttemptId)).ToList();
        foreach (var task in lost)
            await RequeueAsync(task, "the device came back without it");
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
        hub.Find(result.DeviceId)?.Send(new JsonObject { ["type"] = "result_ack", ["task_id"] = result.TaskId, ["attempt_id"] = result.AttemptId });
    }

    /// <summary>The open task whose present attempt is that device's; null for anybody else's or an older attempt's.</summary>
    private TaskView? Mine(string deviceId, string taskId, string attemptId) =>
        _open.TryGetValue(taskId, out var task) && task.DeviceId == deviceId && (attemptId.Length == 0 || attemptId == task.AttemptId) ? task : null;

    private async Task SweepAsync()
    {
        var now = time.GetUtcNow();
        foreach (var task in _open.Values.Where(task => task.AttemptId is not null).ToList())
        {
            if (task.StartedAt is { } started && now - started > TimeSpan.FromSeconds(task.TimeoutSeconds))
                await OverdueAsync(task);
            else if (_absentSince.TryGetValue(task.DeviceId!, out var since) && now - since > ReconnectGrace)
                await RequeueAsync(task, "the device did not come back");
        }
        await DispatchAsync(now);
    }

    private async Task OverdueAsync(TaskView task)
    {
        hub.Find(task.DeviceId!)?.Send(new JsonObject { ["type"] = "cancel", ["task_id"] = task.TaskId, ["attempt_id"] = task.AttemptId });
        if (task.Attempts < task.MaxAttempts)
            await RequeueAsync(task, $"no result within {task.TimeoutSeconds:0.###} s");
        else
            await EndAsync(task with { Error = $"no result within {task.TimeoutSeconds:0.###} s" }, TaskState.Timeout);
    }

    private async Task DispatchAsync(DateTimeOffset now)
    {
        var queued = _open.Values.Where(task => task.AttemptId is null).OrderByDescending(task => task.Priority).ThenBy(task => task.CreatedAt).ToList();
        if (queued.Count == 0)
            return;
        var slots = Slots();
        foreach (var task in queued)
        {
            // A device named by the submitter is trusted to know the action: old clients declare no capabilities.
            IReadOnlyList<string> capabilities = task.TargetDevice is null ? [task.Action, .. task.RequiredCapabilities] : task.RequiredCapabilities;
            var needs = new TaskNeeds(task.TargetDevice is { } target ? [target] : [], [.. capabilities]);
            if (DevicePicker.Pick(needs, slots.Values, _random) is not { } device)
                continue;
            slots[device.DeviceId] = device with { Running = device.Running + 1 };
            await AssignAsync(task, device.DeviceId, now);
        }
    }

    private Dictionary<string, DeviceSlot> Slots()
    {
        var running = _open.Values.Where(task => task.DeviceId is not null).CountBy(task => task.DeviceId!).ToDictionary();
        return hub.DeviceIds.Select(registry.Get).OfType<DeviceView>().ToDictionary(device => device.DeviceId, device => new DeviceSlot(
            device.DeviceId, device.DeviceType, device.Capabilities.Select(c => c.Name).ToHashSet(StringComparer.Ordinal),
            running.GetValueOrDefault(device.DeviceId), device.Slots));
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
        _open[task.TaskId] = assigned;
        if (hub.Find(deviceId) is not { } session || !session.Send(TaskMessages.Assignment(assigned, session.IsAcknowledged, TraceParent.Current)))
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
        _open[task.TaskId] = await store.WriteAsync(
            task with { State = TaskState.Retrying, DeviceId = null, AttemptId = null, StartedAt = null, Error = reason });
    }

    private async Task EndAsync(TaskView task, TaskState state)
    {
        using var activity = GalaxyTrace.Source.Start("task.finish", ActivityKind.Internal, task.TraceParent);
        activity?.SetTag("galaxy.task.id", task.TaskId);
        activity?.SetTag("galaxy.task.state", state.ToString());
        await store.WriteAsync(task with { State = state, CompletedAt = time.GetUtcNow(), Progress = state == TaskState.Completed ? 1 : task.Progress });
        _open.Remove(task.TaskId);
        GalaxyTrace.TasksFinished.Add(1, new KeyValuePair<string, object?>("state", state.ToString()));
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
