using System.Globalization;
using Galaxy.Coordinator.Storage;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Backup;

/// <summary>The cluster's keys in a store, read as they are and written again elsewhere.</summary>
internal static class StoreDump
{
    private const int PageSize = 1000;

    // The lease and what guards it belong to the store they are in, events to the moment.
    private static readonly string[] Guards =
    [
        "lease",
        "token",
        "accepted",
        "released",
        "born",
        "silent",
        "position",
        "events",
    ];

    /// <param name="skipped">Hears of keys of a type that Galaxy keeps nowhere, with that type.</param>
    public static async Task<IReadOnlyList<BackupKey>> ReadAsync(
        IConnectionMultiplexer store,
        StoreKeys keys,
        Func<string, bool> wanted,
        Action<string, RedisType> skipped
    )
    {
        var (found, prefix) = (new List<BackupKey>(), keys[""]);
        var names = new HashSet<string>(StringComparer.Ordinal);
        // Of a Redis Cluster one node has them; with Sentinel the replicas have the same.
        foreach (var server in store.GetServers().Where(server => server.IsConnected && !server.IsReplica))
        {
            await foreach (
                var key in server.KeysAsync(
                    pattern: prefix.Replace("[", "?", StringComparison.Ordinal) + "*",
                    pageSize: PageSize
                )
            )
            {
                if (((string)key!).StartsWith(prefix, StringComparison.Ordinal))
                    names.Add(((string)key!)[prefix.Length..]);
            }
        }
        var database = store.GetDatabase();
        foreach (
            var some in names
                .Where(name => Array.IndexOf(Guards, name) < 0 && wanted(name))
                .Order(StringComparer.Ordinal)
                .Chunk(PageSize)
        )
            found.AddRange(
                (
                    await Task.WhenAll(some.Select(name => ReadAsync(database, keys[name], name, skipped)))
                ).OfType<BackupKey>()
            );
        return found;
    }

    private static async Task<BackupKey?> ReadAsync(
        IDatabase store,
        string key,
        string name,
        Action<string, RedisType> skipped
    )
    {
        var (type, ttl) = (await store.KeyTypeAsync(key), await store.KeyTimeToLiveAsync(key));
        (string Type, IEnumerable<RedisValue> Items)? read = type switch
        {
            RedisType.String => ("string", [await store.StringGetAsync(key)]),
            RedisType.List => ("list", await store.ListRangeAsync(key)),
            RedisType.Hash => (
                "hash",
                (await store.HashGetAllAsync(key)).SelectMany(field => new[] { field.Name, field.Value })
            ),
            RedisType.SortedSet => (
                "zset",
                (await store.SortedSetRangeByRankWithScoresAsync(key)).SelectMany(one =>
                    new RedisValue[] { one.Score.ToString("R", CultureInfo.InvariantCulture), one.Element }
                )
            ),
            _ => null,
        };
        if (type is RedisType.Set or RedisType.Stream or RedisType.Unknown)
            skipped(name, type);
        // Gone since it was listed.
        return
            read is { } found
            && found.Items.Select(item => (byte[]?)item).ToList() is var items
            && items.TrueForAll(item => item is not null)
            ? new BackupKey(
                name,
                found.Type,
                [.. items.OfType<byte[]>()],
                ttl is { } left ? (long)left.TotalMilliseconds : null
            )
            : null;
    }

    /// <summary>The commands that make a key what it was, in order; each small enough for a script.</summary>
    public static IEnumerable<(string Command, RedisValue[] Arguments)> Commands(BackupKey key)
    {
        const int ItemsPerCommand = 1000;
        var command = key.Type switch
        {
            "string" => "SET",
            "list" => "RPUSH",
            "hash" => "HSET",
            "zset" => "ZADD",
            var other => throw new InvalidDataException(
                $"it has a key of type '{other}', which this version does not know"
            ),
        };
        foreach (var some in key.Items.Chunk(ItemsPerCommand))
            yield return (command, [.. some.Select(item => (RedisValue)item)]);
        if (key.TtlMs is { } ttl)
            yield return ("PEXPIRE", [ttl]);
    }
}
