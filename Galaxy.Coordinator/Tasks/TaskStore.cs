using System.Globalization;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tasks;

/// <summary>One write of the task engine: all of it happens or nothing.</summary>
/// <param name="Tasks">As they are to be stored, each once.</param>
internal sealed record TaskBatch(IReadOnlyList<TaskView> Tasks)
{
    /// <summary>Of the ledger, after this write; null: as before.</summary>
    public LedgerIndex? Index { get; init; }

    /// <summary>A page that this write adds to the ledger.</summary>
    public (long Page, IReadOnlyList<string> TaskIds)? Page { get; init; }

    /// <summary>A page that is not kept any longer.</summary>
    public long? DroppedPage { get; init; }

    /// <summary>Finished tasks that are not kept any longer.</summary>
    public IReadOnlyList<TaskView> Forgotten { get; init; } = [];

    public bool IsEmpty => Tasks.Count == 0 && Page is null && DroppedPage is null && Forgotten.Count == 0;
}

/// <summary>
/// Tasks in the store: each under a key of its own, and the ledger of the order in which they came. Nothing here grows
/// with the number of tasks, so that no write takes longer when there are many. Every write is fenced.
/// </summary>
internal sealed class TaskStore(FencedWriter writer, FencedStores stores, Quarantine quarantine, NodeOptions node)
{
    private const int ReadAtOnce = 500;
    private const long MaxReadBytes = 8 * 1024 * 1024;

    // More than can be listed: a page lists one task at least.
    private const long MaxPages = 2 * TaskEngine.Kept;
    private readonly StoreKeys _keys = new(node.Cluster);

    private string TaskKey(string taskId) => _keys["task:" + taskId];

    private string PageKey(long page) => _keys[FormattableString.Invariant($"tasks:page:{page}")];

    private string SubmissionKeyOf(string name) => _keys["task-key:" + name];

    /// <summary>
    /// Writes a batch under that token. The same batch may be written again when the outcome is unknown.
    /// </summary>
    /// <exception cref="NotLeaderException">Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Whether it was written is unknown.</exception>
    public async Task WriteAsync(long term, TaskBatch batch)
    {
        var commands = new List<FencedCommand>(batch.Tasks.Count + 4);
        List<RedisValue> called = [],
            uncalled = [];
        foreach (var task in batch.Tasks)
        {
            commands.Add(
                new FencedCommand(
                    "SET",
                    TaskKey(task.TaskId),
                    JsonSerializer.SerializeToUtf8Bytes(task, GalaxyJson.Options)
                )
            );
            if (task is { IsOver: true, CallbackUrl: not null, Callback: null })
                uncalled.AddRange([task.CreatedAt.ToUnixTimeMilliseconds(), task.TaskId]);
            else if (task.Callback is not null)
                called.Add(task.TaskId);
            if (task is { Idempotency: { } idempotency, ParentId: null })
                commands.Add(new FencedCommand("SET", SubmissionKeyOf(SubmissionKey.NameOf(idempotency)), task.TaskId));
        }
        if (uncalled.Count > 0)
            commands.Add(new FencedCommand("ZADD", _keys["tasks:callbacks"], [.. uncalled]));
        if (called.Count > 0)
            commands.Add(new FencedCommand("ZREM", _keys["tasks:callbacks"], [.. called]));
        foreach (var task in batch.Forgotten)
        {
            commands.Add(new FencedCommand("DEL", TaskKey(task.TaskId)));
            if (task is { Idempotency: { } idempotency, ParentId: null })
                commands.Add(new FencedCommand("DEL", SubmissionKeyOf(SubmissionKey.NameOf(idempotency))));
        }
        if (batch.Page is { } page)
            commands.Add(new FencedCommand("SET", PageKey(page.Page), string.Join(' ', page.TaskIds)));
        if (batch.DroppedPage is { } dropped)
            commands.Add(new FencedCommand("DEL", PageKey(dropped)));
        if (batch.Index is { } index)
            commands.Add(
                new FencedCommand("SET", _keys["tasks:index"], JsonSerializer.Serialize(index, GalaxyJson.Options))
            );
        await writer.WriteAsync(term, commands);
    }

    public Task<TaskView?> ReadAsync(string taskId) =>
        Guarded(async () =>
        {
            try
            {
                var value = await stores.Reader.StringGetAsync(TaskKey(taskId));
                return value.IsNull ? null : Read(taskId, value);
            }
            catch (RedisServerException refused)
                when (refused.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
            {
                quarantine.Add("store", "task:" + taskId, "The key is of another type than that of a task.", 0);
                return null;
            }
        });

    /// <summary>The tasks that were submitted with these keys, in the same order; null where there is none.</summary>
    /// <param name="names">As <see cref="SubmissionKey.Name"/>.</param>
    public Task<IReadOnlyList<TaskView?>> ReadByKeyAsync(IReadOnlyCollection<string> names) =>
        Guarded<IReadOnlyList<TaskView?>>(async () =>
        {
            var ids = new List<string?>(names.Count);
            foreach (var part in names.Chunk(ReadAtOnce))
                ids.AddRange(
                    (
                        await stores.Reader.StringGetAsync([.. part.Select(name => (RedisKey)SubmissionKeyOf(name))])
                    ).Select(id => (string?)id)
                );
            var tasks = (await ReadManyAsync([.. ids.OfType<string>()])).ToDictionary(
                task => task.TaskId,
                StringComparer.Ordinal
            );
            return [.. ids.Select(id => id is null ? null : tasks.GetValueOrDefault(id))];
        });

    /// <summary>Those that exist, in the given order.</summary>
    public Task<IReadOnlyList<TaskView>> ReadManyAsync(IReadOnlyCollection<string> taskIds) =>
        Guarded<IReadOnlyList<TaskView>>(async () =>
        {
            var tasks = new List<TaskView>(taskIds.Count);
            foreach (var part in taskIds.Chunk(ReadAtOnce))
            {
                foreach (var some in part.Length == 1 ? [part] : await BySizeAsync(part))
                {
                    var values = await stores.Reader.StringGetAsync([.. some.Select(id => (RedisKey)TaskKey(id))]);
                    tasks.AddRange(
                        values.Select((value, i) => value.IsNull ? null : Read(some[i], value)).OfType<TaskView>()
                    );
                }
            }
            return tasks;
        });

    // In parts that each pass within the store's timeout, whatever the tasks hold.
    private async Task<IReadOnlyList<string[]>> BySizeAsync(string[] taskIds)
    {
        var lengths = await Task.WhenAll(taskIds.Select(LengthAsync));
        if (lengths.Sum() <= MaxReadBytes)
            return [taskIds];
        var parts = new List<string[]>();
        var (start, bytes) = (0, 0L);
        for (var i = 0; i < taskIds.Length; i++)
        {
            if (i > start && bytes + lengths[i] > MaxReadBytes)
            {
                parts.Add(taskIds[start..i]);
                (start, bytes) = (i, 0);
            }
            bytes += lengths[i];
        }
        parts.Add(taskIds[start..]);
        return parts;
    }

    private async Task<long> LengthAsync(string taskId)
    {
        try
        {
            return await stores.Reader.StringLengthAsync(TaskKey(taskId));
        }
        catch (RedisServerException)
        {
            // A key of another type is read as none.
            return 0;
        }
    }

    /// <summary>Null: there is none, or it cannot be true.</summary>
    public Task<LedgerIndex?> ReadIndexAsync() =>
        Guarded(async () =>
            await stores.Reader.StringGetAsync(_keys["tasks:index"]) is { IsNull: false } value
                ? LedgerIndex.TryRead((string)value!)
                : null
        );

    /// <summary>The index that the pages themselves give, by a walk over all keys. Nothing is written.</summary>
    public Task<LedgerIndex> RebuildIndexAsync() =>
        Guarded(async () =>
        {
            var prefix = _keys["tasks:page:"];
            var pages = new SortedSet<long>();
            foreach (
                var server in stores
                    .Reader.Multiplexer.GetServers()
                    .Where(server => server.IsConnected && !server.IsReplica)
            )
            {
                await foreach (
                    var key in server.KeysAsync(
                        stores.Reader.Database,
                        prefix.Replace("[", "?", StringComparison.Ordinal) + "*",
                        ReadAtOnce
                    )
                )
                {
                    if (
                        ((string)key!).StartsWith(prefix, StringComparison.Ordinal)
                        && long.TryParse(
                            ((string)key!)[prefix.Length..],
                            NumberStyles.None,
                            CultureInfo.InvariantCulture,
                            out var page
                        )
                        && page is > 0 and < long.MaxValue
                    )
                        pages.Add(page);
                }
            }
            if (pages.Count == 0)
                return LedgerIndex.Empty;
            // Ours lie together: a page far away from most is not one of them.
            var middle = pages.ElementAt(pages.Count / 2);
            var (first, last) = (
                pages.First(page => middle - page < MaxPages),
                pages.Last(page => page - middle < MaxPages)
            );
            var listed = (await ReadPagesAsync(first, last)).Sum(page => page.TaskIds.Count);
            return new LedgerIndex(first, last, first, Math.Max(listed, last - first + 1));
        });

    /// <summary>The ids on the pages from one to another, both included.</summary>
    public Task<IReadOnlyList<(long Page, IReadOnlyList<string> TaskIds)>> ReadPagesAsync(long from, long to) =>
        Guarded<IReadOnlyList<(long, IReadOnlyList<string>)>>(async () =>
        {
            var pages = new List<(long, IReadOnlyList<string>)>();
            for (var start = from; start <= to; start += ReadAtOnce)
            {
                var numbers = Enumerable
                    .Range(0, (int)Math.Min(ReadAtOnce, to - start + 1))
                    .Select(i => start + i)
                    .ToList();
                var values = await stores.Reader.StringGetAsync([.. numbers.Select(page => (RedisKey)PageKey(page))]);
                pages.AddRange(
                    numbers.Select(
                        (page, i) =>
                            (
                                page,
                                (IReadOnlyList<string>)(
                                    values[i].IsNull
                                        ? []
                                        : ((string)values[i]!).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                                )
                            )
                    )
                );
            }
            return pages;
        });

    /// <summary>The newest first.</summary>
    /// <param name="count">Not many more than so many.</param>
    /// <param name="before">Older than that page; null: from the newest.</param>
    /// <returns>The tasks, and the page to go on before; null: there is nothing older.</returns>
    public async Task<(IReadOnlyList<TaskView> Tasks, long? Next)> ReadRecentAsync(int count, long? before)
    {
        var index = await ReadIndexAsync() ?? LedgerIndex.Empty;
        var (found, to) = (new List<TaskView>(), Math.Min(before - 1 ?? index.Last, index.Last));
        while (found.Count < count && to >= index.First)
        {
            var from = Math.Max(index.First, to - Math.Min(count, 100) + 1);
            var pages = await ReadPagesAsync(from, to);
            foreach (var page in pages.Reverse())
            {
                // One that is listed again later was shown there.
                found.AddRange(await ReadManyAsync([.. page.TaskIds.Reverse()]));
                to = page.Page - 1;
                if (found.Count >= count)
                    break;
            }
        }
        return ([.. found.DistinctBy(task => task.TaskId)], to >= index.First ? to + 1 : null);
    }

    /// <summary>The ids of finished tasks whose callback was not called yet.</summary>
    public Task<IReadOnlyList<string>> ReadUncalledAsync() =>
        Guarded<IReadOnlyList<string>>(async () =>
            [
                .. (await stores.Reader.SortedSetRangeByRankAsync(_keys["tasks:callbacks"], 0, -1)).Select(id =>
                    (string)id!
                ),
            ]
        );

    // A task that cannot be read is set aside; the others are there. One that was mended has to be loaded, too: see
    // TaskRecords.
    private TaskView? Read(string taskId, RedisValue value) =>
        quarantine.Read<TaskView>(
            Quarantine.Tasks,
            taskId,
            ((ReadOnlyMemory<byte>)value).Span,
            task => task.TaskId,
            releases: false
        );

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
