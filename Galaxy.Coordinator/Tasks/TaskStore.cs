using System.Globalization;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Tasks in the store. Every write is fenced.</summary>
internal sealed class TaskStore(FencedWriter writer, FencedStores stores, NodeOptions node)
{
    private readonly StoreKeys _keys = new(node.Cluster);
    private const int RecentKept = 10_000;

    private string TaskKey(string taskId) => _keys["task:" + taskId];

    /// <summary>Writes the task; returns it with the token that it was written under.</summary>
    /// <exception cref="NotLeaderException">Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Whether it was written is unknown.</exception>
    public async Task<TaskView> WriteAsync(TaskView task) =>
        task with { Token = await writer.WriteAsync(token => Commands(task with { Token = token })) };

    private FencedCommand[] Commands(TaskView task)
    {
        var score = task.CreatedAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        var value = new FencedCommand("SET", TaskKey(task.TaskId), JsonSerializer.Serialize(task, GalaxyJson.Options));
        var open = task.IsOver
            ? new FencedCommand("ZREM", _keys["tasks:open"], task.TaskId)
            : new FencedCommand("ZADD", _keys["tasks:open"], score, task.TaskId);
        var recent = new FencedCommand("ZADD", _keys["tasks:recent"], score, task.TaskId);
        var trim = new FencedCommand("ZREMRANGEBYRANK", _keys["tasks:recent"], "0", $"-{RecentKept + 1}");
        return [value, open, recent, trim];
    }

    public Task<TaskView?> ReadAsync(string taskId) => Guarded(async () =>
    {
        var value = await stores.Reader.StringGetAsync(TaskKey(taskId));
        return value.IsNull ? null : JsonSerializer.Deserialize<TaskView>((string)value!, GalaxyJson.Options);
    });

    public Task<IReadOnlyList<TaskView>> ReadOpenAsync() => ReadManyAsync("tasks:open", 0, -1);

    /// <summary>The newest first.</summary>
    public Task<IReadOnlyList<TaskView>> ReadRecentAsync(int count) => ReadManyAsync("tasks:recent", -count, -1);

    private Task<IReadOnlyList<TaskView>> ReadManyAsync(string set, int from, int to) => Guarded<IReadOnlyList<TaskView>>(async () =>
    {
        var ids = await stores.Reader.SortedSetRangeByRankAsync(_keys[set], from, to);
        var values = await stores.Reader.StringGetAsync([.. ids.Select(id => (RedisKey)TaskKey((string)id!))]);
        return [.. values.Where(value => !value.IsNull)
            .Select(value => JsonSerializer.Deserialize<TaskView>((string)value!, GalaxyJson.Options)).OfType<TaskView>().Reverse()];
    });

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
