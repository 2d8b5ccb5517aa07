using System.Globalization;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tasks;

/// <summary>One write of the task engine: all of it happens or nothing.</summary>
/// <param name="Tasks">As they are to be stored, each once.</param>
/// <param name="Forgotten">Finished tasks that are not kept any longer.</param>
internal sealed record TaskBatch(IReadOnlyList<TaskView> Tasks, IReadOnlyList<TaskView> Forgotten)
{
    public bool IsEmpty => Tasks.Count == 0 && Forgotten.Count == 0;
}

/// <summary>Tasks in the store. Every write is fenced.</summary>
internal sealed class TaskStore(FencedWriter writer, FencedStores stores, NodeOptions node)
{
    private const int ReadAtOnce = 1000;
    private readonly StoreKeys _keys = new(node.Cluster);

    private string TaskKey(string taskId) => _keys["task:" + taskId];

    private string IdempotencyKey(string hash) => _keys["task-key:" + hash];

    /// <summary>Writes a batch under that token. The same batch may be written again when the outcome is unknown.</summary>
    /// <exception cref="NotLeaderException">Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Whether it was written is unknown.</exception>
    public async Task WriteAsync(long term, TaskBatch batch)
    {
        var commands = new List<FencedCommand>(batch.Tasks.Count + 8);
        List<RedisValue> opened = [], over = [], called = [], uncalled = [], recent = [], done = [];
        foreach (var task in batch.Tasks)
        {
            commands.Add(new FencedCommand("SET", TaskKey(task.TaskId), JsonSerializer.SerializeToUtf8Bytes(task, GalaxyJson.Options)));
            RedisValue score = task.CreatedAt.ToUnixTimeMilliseconds();
            if (task.IsOver)
                over.Add(task.TaskId);
            else
                opened.AddRange([score, task.TaskId]);
            recent.AddRange([score, task.TaskId]);
            if (task is { IsOver: true, CallbackUrl: not null })
            {
                if (task.Callback is null)
                    uncalled.AddRange([score, task.TaskId]);
                else
                    called.Add(task.TaskId);
            }
            if (task.IsOver)
                done.AddRange([(task.CompletedAt ?? task.CreatedAt).ToUnixTimeMilliseconds(), task.TaskId]);
            if (task is { Idempotency: { } idempotency, ParentId: null })
                commands.Add(new FencedCommand("SET", IdempotencyKey(idempotency.Split(' ')[0]), task.TaskId));
        }
        Add("ZADD", "tasks:open", opened);
        Add("ZREM", "tasks:open", over);
        Add("ZADD", "tasks:recent", recent);
        Add("ZADD", "tasks:done", done);
        Add("ZADD", "tasks:callbacks", uncalled);
        Add("ZREM", "tasks:callbacks", called);
        foreach (var task in batch.Forgotten)
        {
            commands.Add(new FencedCommand("DEL", TaskKey(task.TaskId)));
            if (task is { Idempotency: { } idempotency, ParentId: null })
                commands.Add(new FencedCommand("DEL", IdempotencyKey(idempotency.Split(' ')[0])));
        }
        RedisValue[] forgotten = [.. batch.Forgotten.Select(task => (RedisValue)task.TaskId)];
        Add("ZREM", "tasks:recent", forgotten);
        Add("ZREM", "tasks:done", forgotten);
        await writer.WriteAsync(term, commands);

        void Add(string command, string key, IReadOnlyCollection<RedisValue> values)
        {
            if (values.Count > 0)
                commands.Add(new FencedCommand(command, _keys[key], [.. values]));
        }
    }

    public Task<TaskView?> ReadAsync(string taskId) => Guarded(async () =>
    {
        var value = await stores.Reader.StringGetAsync(TaskKey(taskId));
        return value.IsNull ? null : Read(value);
    });

    /// <summary>The task that was submitted with an Idempotency-Key of that hash.</summary>
    public Task<TaskView?> ReadByIdempotencyAsync(string hash) => Guarded(async () =>
    {
        var id = await stores.Reader.StringGetAsync(IdempotencyKey(hash));
        return id.IsNull ? null : await ReadAsync((string)id!);
    });

    /// <summary>Those that exist, in the given order.</summary>
    public Task<IReadOnlyList<TaskView>> ReadManyAsync(IReadOnlyCollection<string> taskIds) => Guarded<IReadOnlyList<TaskView>>(async () =>
    {
        var tasks = new List<TaskView>(taskIds.Count);
        foreach (var part in taskIds.Chunk(ReadAtOnce))
        {
            var values = await stores.Reader.StringGetAsync([.. part.Select(id => (RedisKey)TaskKey(id))]);
            tasks.AddRange(values.Where(value => !value.IsNull).Select(Read).OfType<TaskView>());
        }
        return tasks;
    });

    public Task<IReadOnlyList<TaskView>> ReadOpenAsync() => ReadSetAsync("tasks:open", 0, -1);

    /// <summary>Finished tasks whose callback was not called yet.</summary>
    public Task<IReadOnlyList<TaskView>> ReadUncalledAsync() => ReadSetAsync("tasks:callbacks", 0, -1);

    /// <summary>The newest first.</summary>
    /// <param name="before">Older than that time.</param>
    public Task<IReadOnlyList<TaskView>> ReadRecentAsync(int count, DateTimeOffset? before = null) => Guarded(async () =>
    {
        var most = before is { } time ? time.ToUnixTimeMilliseconds() - 1 : double.PositiveInfinity;
        var ids = await stores.Reader.SortedSetRangeByScoreAsync(_keys["tasks:recent"], double.NegativeInfinity, most, order: Order.Descending, take: count);
        return await ReadManyAsync([.. ids.Select(id => (string)id!)]);
    });

    /// <summary>How many finished tasks are kept.</summary>
    public Task<long> CountDoneAsync() => Guarded(() => stores.Reader.SortedSetLengthAsync(_keys["tasks:done"]));

    /// <summary>The finished tasks that have been kept longest.</summary>
    public Task<IReadOnlyList<TaskView>> ReadOldestDoneAsync(int count) => ReadSetAsync("tasks:done", 0, count - 1);

    private Task<IReadOnlyList<TaskView>> ReadSetAsync(string set, int from, int to) => Guarded(async () =>
    {
        var ids = await stores.Reader.SortedSetRangeByRankAsync(_keys[set], from, to);
        return await ReadManyAsync([.. ids.Select(id => (string)id!)]);
    });

    private static TaskView? Read(RedisValue value) => JsonSerializer.Deserialize<TaskView>(((ReadOnlyMemory<byte>)value).Span, GalaxyJson.Options);

    private static async Task<T> Guarded<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }
}
