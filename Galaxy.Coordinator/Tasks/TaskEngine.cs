using System.Collections.Concurrent;
using System.Threading.Channels;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Scheduling;
using CoreState = Galaxy.Core.Scheduling.TaskState;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// The leader's tasks: one loop feeds the <see cref="TaskBoard"/> with all that has come since the last turn, writes
/// what has changed in one batch, and only then answers clients and tells devices. While a batch is on its way the next
/// one gathers, so that the store is asked once for many tasks when there are many, and at once when there is one. On a
/// node that does not lead the engine is empty and idle.
/// </summary>
internal sealed partial class TaskEngine(
    TaskStore store,
    DeviceHub hub,
    DeviceRegistry registry,
    TaskFeed feed,
    Elector elector,
    Quarantine quarantine,
    TimeProvider time,
    ILogger<TaskEngine> log
) : BackgroundService
{
    /// <summary>Tasks that are kept, finished ones among them.</summary>
    public const int Kept = 100_000;

    private const int MostEventsInTurn = 512;
    private const int MostEvents = 100_000;
    private const int MostRecentEnds = 20_000;
    private static readonly TimeSpan RetryStoreEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>A client that waits for a batch that cannot be written is told so.</summary>
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefectPause = TimeSpan.FromMilliseconds(100);
    private const int MaxDefects = 20;

    private readonly Channel<TaskEvent> _events = Channel.CreateBounded<TaskEvent>(
        new BoundedChannelOptions(MostEvents) { SingleReader = true }
    );
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<string, TaskView> _tasks = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string TaskId, string Mark)> _recentKeys = new(StringComparer.Ordinal);
    private readonly Queue<string> _recentKeysInOrder = new();
    private readonly Dictionary<string, CoreState> _recentEnds = new(StringComparer.Ordinal);
    private readonly Queue<string> _recentEndsInOrder = new();
    private readonly Dictionary<string, TaskView> _endedNow = new(StringComparer.Ordinal);
    private readonly List<(TaskEvent.Request Request, string TaskId)> _waiting = [];
    private readonly TaskLedger _ledger = new();
    private readonly OpenTaskSizes _sizes = new();
    private TaskBoard _board = NewBoard();
    private long _term;
    private long _takeover;
    private DateTimeOffset _began;
    private long _beganAt;
    private int _defects;
    private long _lastDefect;

    // Open while the tasks are loaded. Until then what devices say waits in the queue: a result must not meet an empty
    // board.
    private volatile TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource _steppedDown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskBoard NewBoard() => new(new Random(), TaskSubmission.NextTime);

    /// <summary>The fencing token under which this node leads and has the tasks; null: it does not.</summary>
    public long? Term => _loaded.Task.IsCompleted && Interlocked.Read(ref _term) is > 0 and var term ? term : null;

    /// <summary>Tasks that are not over.</summary>
    public int OpenCount => _tasks.Count;

    /// <summary>Those of them that wait for a device, roughly.</summary>
    public int WaitingCount => _board.Waiting;

    /// <summary>Tasks that are kept.</summary>
    public long KeptCount => _ledger.Index.Listed;

    /// <summary>The open tasks of the present term.</summary>
    public IEnumerable<TaskView> Open => _tasks.Values;

    /// <summary>
    /// The time by which tasks are measured: a clock that is set meanwhile does not make them overdue.
    /// </summary>
    private DateTimeOffset Now => _began + time.GetElapsedTime(_beganAt);

    /// <summary>False: the queue is full. What devices say they say again.</summary>
    public bool Post(TaskEvent happened)
    {
        if (_events.Writer.TryWrite(happened))
            return true;
        LogQueueFull();
        return false;
    }

    /// <summary>The open task; null: it is over, was never there, or this node does not lead.</summary>
    public TaskView? Find(string taskId) => _tasks.GetValueOrDefault(taskId);

    /// <summary>The device with what the leader knows of its load.</summary>
    public DeviceView WithLoad(DeviceView device)
    {
        if (hub.Find(device.DeviceId) is not { } session)
            return device;
        device = device with { LastSeen = session.LastHeard > device.LastSeen ? session.LastHeard : device.LastSeen };
        if (device.Load is not null)
            return device;
        var running = _running.GetValueOrDefault(device.DeviceId);
        return device with { Load = device.Slots > 0 ? Math.Min(1, (double)running / device.Slots) : 1 };
    }

    /// <summary>Makes it durable, then hands it out.</summary>
    /// <returns>Null: there is no such open task.</returns>
    /// <exception cref="NotLeaderException">Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Whether it was written is unknown.</exception>
    /// <exception cref="TaskQueueFullException">Nothing was written.</exception>
    public async Task<TaskView?> AskAsync(TaskEvent.Request request)
    {
        // Taken before the look at the lease: no end of it is missed.
        var steppedDown = _steppedDown.Task;
        if (elector.CurrentToken is null)
            throw new NotLeaderException();
        if (!_events.Writer.TryWrite(request))
            throw new TaskQueueFullException();
        var answer = request.Answer.Task;
        var began = time.GetTimestamp();
        await ((Task)Task.WhenAny(answer, steppedDown))
            .WaitAsync(ClientPatience, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The engine has not begun with the request: throw, so that the next leader is asked at once.
        if (!answer.IsCompleted && request.TryClaim())
            throw new NotLeaderException();
        try
        {
            var left = ClientPatience - time.GetElapsedTime(began);
            return await answer.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        }
        catch (TimeoutException late)
        {
            throw new StoreUnavailableException(late);
        }
    }

    /// <summary>
    /// Which takeover of the tasks from the store the present tasks come from, once they are loaded. What the store
    /// says afterwards has all that was accepted before it.
    /// </summary>
    /// <exception cref="NotLeaderException">This node does not lead, or its tasks are not loaded yet.</exception>
    public async Task<long> TakeoverAsync()
    {
        var steppedDown = _steppedDown.Task;
        if (elector.CurrentToken is null)
            throw new NotLeaderException();
        await ((Task)Task.WhenAny(_loaded.Task, steppedDown))
            .WaitAsync(ClientPatience, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Term is null ? throw new NotLeaderException() : Interlocked.Read(ref _takeover);
    }

    private void StepDown() =>
        Interlocked
            .Exchange(ref _steppedDown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();

    /// <summary>Takes over the open tasks from the store. Call when this node starts to lead.</summary>
    /// <param name="term">The fencing token.</param>
    /// <exception cref="StoreUnavailableException">Nothing was taken over.</exception>
    public async Task LoadAsync(long term)
    {
        await _gate.WaitAsync();
        try
        {
            await TakeOverAsync(term);
        }
        finally
        {
            _gate.Release();
        }
        _loaded.TrySetResult();
        Post(new TaskEvent.Tick());
    }

    // Under the gate.
    private async Task TakeOverAsync(long term)
    {
        Forget();
        Interlocked.Increment(ref _takeover);
        var (index, pages) = await ReadLedgerAsync(term);
        var pageOf = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (page, ids) in pages)
        {
            foreach (var id in ids)
                pageOf[id] = page;
        }
        var stored = (await store.ReadManyAsync(pageOf.Keys)).Where(task => !task.IsOver).ToList();
        _ledger.Begin(index, stored.Select(task => (pageOf[task.TaskId], task.TaskId)));
        (_term, _began, _beganAt) = (term, time.GetUtcNow(), time.GetTimestamp());
        var usable = new BoardLoader(quarantine, NewBoard).Load(stored, _began);
        foreach (var (task, _, run) in usable.Tasks)
        {
            Keep(task);
            if (run.IsOut)
                _running.AddOrUpdate(run.DeviceId!, 1, (_, count) => count + 1);
        }
        foreach (var (task, _, _) in usable.Tasks)
            _sizes.Join(task);
        _board = usable.Board;
    }

    private async Task<(
        LedgerIndex Index,
        IReadOnlyList<(long Page, IReadOnlyList<string> TaskIds)> Pages
    )> ReadLedgerAsync(long term)
    {
        if (await store.ReadIndexAsync() is { } index)
        {
            var pages = await store.ReadPagesAsync(index.Low, index.Last + 1);
            // A page behind the newest would be overwritten by the next task.
            if (pages[^1].TaskIds.Count == 0)
                return (index, pages);
        }
        var rebuilt = await store.RebuildIndexAsync();
        if (rebuilt != LedgerIndex.Empty)
        {
            LogRebuilt(rebuilt.First, rebuilt.Last);
            await store.WriteAsync(term, new TaskBatch([]) { Index = rebuilt });
        }
        return (rebuilt, await store.ReadPagesAsync(rebuilt.Low, rebuilt.Last));
    }

    /// <summary>Forgets everything: another node leads.</summary>
    public async Task UnloadAsync()
    {
        Close();
        await _gate.WaitAsync();
        Close();
        Forget();
        _gate.Release();
    }

    private void Close()
    {
        if (_loaded.Task.IsCompleted)
            _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void Forget()
    {
        _board = NewBoard();
        _term = 0;
        _tasks.Clear();
        _sizes.Clear();
        _running.Clear();
        _recentKeys.Clear();
        _recentKeysInOrder.Clear();
        _recentEnds.Clear();
        _recentEndsInOrder.Clear();
        _endedNow.Clear();
        Answer(failure: new NotLeaderException());
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
        {
            hub.Gone += device => Post(new TaskEvent.DeviceGone(device));
            elector.SteppedDown += _ => StepDown();
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await WaitAsync(stoppingToken))
            {
                await EnterLoadedAsync(stoppingToken);
                try
                {
                    await TurnAsync();
                }
                catch (NotLeaderException lost)
                {
                    // Another node leads; it has these tasks and their devices will tell it.
                    Close();
                    Answer(failure: lost);
                }
                catch (Exception failure)
                {
                    LogTurnFailed(failure);
                    Answer(failure: failure);
                    await StartAgainAsync();
                }
                finally
                {
                    _gate.Release();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            Answer(failure: new NotLeaderException());
        }
    }

    // Until something comes, or something is due.
    private async Task<bool> WaitAsync(CancellationToken stopping)
    {
        if (_events.Reader.TryPeek(out _))
            return true;
        var wait = _loaded.Task.IsCompleted && _board.NextAlarm is { } alarm ? alarm - Now : LongestWait;
        if (wait <= TimeSpan.Zero)
            return true;
        if (_tasks.IsEmpty && wait >= LongestWait)
            return await _events.Reader.WaitToReadAsync(stopping);
        try
        {
            return await _events
                .Reader.WaitToReadAsync(stopping)
                .AsTask()
                .WaitAsync(wait < LongestWait ? wait : LongestWait, time, stopping);
        }
        catch (TimeoutException)
        {
            return true;
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

    private async Task TurnAsync()
    {
        var now = Now;
        var weight = 0L;
        for (
            var i = 0;
            i < MostEventsInTurn && weight < TaskSize.MaxTurn && _events.Reader.TryRead(out var happened);
            i++
        )
        {
            weight += WeightOf(happened);
            if (happened is TaskEvent.Request request && !request.TryClaim())
                continue;
            try
            {
                Handle(happened, now);
            }
            catch (Exception failure)
            {
                // One that cannot be handled does not take the others with it.
                LogEventFailed(failure, happened.GetType().Name);
                (happened as TaskEvent.Request)?.Answer.TrySetException(failure);
            }
        }
        // What is left is due in the next turn.
        if (!_board.Tick(now, _sizes.OfFamily, TaskSize.MaxTurn))
            Post(new TaskEvent.Tick());
        // What is left is placed in the next turn.
        if (!_board.Place(now, _sizes.Of, TaskSize.MaxTurn))
            Post(new TaskEvent.Tick());
        var turn = _board.Take();
        var changed = Apply(turn);
        var page = _ledger.Turn(
            [.. turn.Changes.Where(change => change.IsNew).Select(change => change.Spec.TaskId)],
            turn.Changes.Where(change => !change.IsNew && change.Run.State.IsOver())
                .Select(change => change.Spec.TaskId)
        );
        _ledger.Close(
            turn.Changes.Where(change => change.IsNew && change.Run.State.IsOver()).Select(change => change.Spec.TaskId)
        );
        await CommitAsync(new TaskBatch(changed) { Page = page, Index = _ledger.Index });
        Answer();
        await CarryOutAsync(turn.Effects, now);
        foreach (var task in changed)
            feed.Publish(task);
        if (_ledger.Index.Listed > Kept)
            await ForgetOldestAsync();
        await CarryOutAsidesAsync();
    }

    // The oldest page with its tasks. What is still open is on a later page as well.
    private async Task ForgetOldestAsync()
    {
        var first = _ledger.Index.First;
        if (first >= _ledger.Index.Low)
            return;
        IReadOnlyList<string> ids;
        List<TaskView> tasks;
        try
        {
            ids = (await store.ReadPagesAsync(first, first))[0].TaskIds;
            tasks = [.. (await store.ReadManyAsync(ids)).Where(task => task.IsOver)];
        }
        catch (StoreUnavailableException)
        {
            // At another turn.
            return;
        }
        _ledger.Drop(ids.Count);
        await CommitAsync(
            new TaskBatch([])
            {
                Forgotten = tasks,
                DroppedPage = first,
                Index = _ledger.Index,
            }
        );
    }

    // What the board has decided, as it is stored.
    private List<TaskView> Apply(BoardTurn turn)
    {
        var changed = new List<TaskView>(turn.Changes.Count);
        foreach (var (spec, run, copyOf, _) in turn.Changes)
        {
            CountRunning(spec.TaskId, run);
            var before = _tasks.GetValueOrDefault(spec.TaskId) ?? CopyOf(copyOf!, spec);
            var after = before.With(run) with { Token = _term };
            changed.Add(after);
            if (run.State.IsOver())
            {
                _tasks.TryRemove(spec.TaskId, out _);
                _sizes.Remove(spec.TaskId);
                _endedNow[spec.TaskId] = after;
                NoteEnd(spec.TaskId, run.State);
                GalaxyTrace.TaskFinished(after.State.ToString());
            }
            else
            {
                Keep(after);
            }
        }
        return changed;
    }

    private void Keep(TaskView task)
    {
        _sizes.Set(task);
        _tasks[task.TaskId] = task;
    }

    // What an event makes the turn write, roughly.
    private long WeightOf(TaskEvent happened) =>
        happened switch
        {
            TaskEvent.Submit submit => submit.Bytes,
            TaskEvent.Result result => result.Output.Length
                + (result.Failed ? _sizes.OfFamily(result.TaskId) : _sizes.Of(result.TaskId)),
            TaskEvent.Cancel cancel => _sizes.OfFamily(cancel.TaskId),
            _ => 0,
        };

    private void CountRunning(string taskId, TaskRun run)
    {
        var before =
            _tasks.TryGetValue(taskId, out var known) && known is { AttemptId: not null, IsOver: false }
                ? known.DeviceId
                : null;
        var after = run.IsOut ? run.DeviceId : null;
        if (before == after)
            return;
        if (before is not null)
            _running.AddOrUpdate(before, 0, (_, count) => Math.Max(0, count - 1));
        if (after is not null)
            _running.AddOrUpdate(after, 1, (_, count) => count + 1);
    }

    private TaskView CopyOf(string templateId, TaskSpec spec) =>
        (_tasks.GetValueOrDefault(templateId) ?? _endedNow[templateId]) with
        {
            TaskId = spec.TaskId,
            Cron = null,
            CopyOf = templateId,
            LastCopy = null,
            CreatedAt = spec.CreatedAt,
            Idempotency = null,
            Dependencies = null,
        };

    private void NoteEnd(string taskId, CoreState state)
    {
        _recentEnds[taskId] = state;
        _recentEndsInOrder.Enqueue(taskId);
        while (_recentEndsInOrder.Count > MostRecentEnds)
            _recentEnds.Remove(_recentEndsInOrder.Dequeue());
    }

    // The board is ahead of the store: until the batch is known to be written, nothing else can happen.
    private async Task CommitAsync(TaskBatch batch)
    {
        StoreUnavailableException? doubt = null;
        while (!batch.IsEmpty)
        {
            try
            {
                await store.WriteAsync(_term, batch);
                return;
            }
            catch (NotLeaderException) when (doubt is not null)
            {
                // This time nothing was written; the time before it may have been, and the next leader may have it.
                Answer(failure: doubt);
                throw;
            }
            catch (StoreUnavailableException failure)
            {
                doubt = failure;
                LogStoreUnavailable(failure.InnerException?.Message.Split(',')[0] ?? failure.Message);
                await Task.Delay(RetryStoreEvery, time);
            }
        }
    }

    private void Answer(Exception? failure = null)
    {
        foreach (var (request, taskId) in _waiting)
        {
            if (failure is not null)
            {
                request.Answer.TrySetException(failure);
                continue;
            }
            if (request is TaskEvent.Submit submit)
                submit.Accepted = [.. submit.TaskIds.Select(Durable)];
            request.Answer.TrySetResult(Durable(taskId));
        }
        _waiting.Clear();
        _endedNow.Clear();

        TaskView? Durable(string taskId) => _tasks.GetValueOrDefault(taskId) ?? _endedNow.GetValueOrDefault(taskId);
    }

    // A defect: what the board knows may not be what is stored. Begin again from there; the devices tell what they
    // have.
    private async Task StartAgainAsync()
    {
        var term = _term;
        // A defect that comes back at once is not tried without a pause.
        _defects = time.GetElapsedTime(_lastDefect) < Calm ? Math.Min(_defects + 1, MaxDefects) : 0;
        _lastDefect = time.GetTimestamp();
        await Task.Delay(_defects * DefectPause, time);
        // Closed: another node leads by now.
        while (_loaded.Task.IsCompleted)
        {
            try
            {
                await TakeOverAsync(term);
                // No device's socket is at fault: devices stay connected, with what the store says that they run.
                foreach (var device in hub.DeviceIds.Where(id => hub.Find(id) is { TakesTasks: true }))
                    Post(new TaskEvent.DeviceChanged(device));
                return;
            }
            catch (StoreUnavailableException failure)
            {
                LogStoreUnavailable(failure.InnerException?.Message.Split(',')[0] ?? failure.Message);
                await Task.Delay(RetryStoreEvery, time);
            }
        }
    }

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The index of tasks was missing or could not be true; it was made anew from the pages "
            + "{First} to {Last}"
    )]
    private partial void LogRebuilt(long first, long last);

    [LoggerMessage(Level = LogLevel.Error, Message = "The task queue is full; an event was dropped")]
    private partial void LogQueueFull();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Tasks wait for the store: {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The task loop goes on after an error")]
    private partial void LogTurnFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Kind} could not be handled")]
    private partial void LogEventFailed(Exception failure, string kind);
}
