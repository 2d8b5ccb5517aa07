using System.Globalization;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Makes one store's exclusive data equal to another's, by fenced writes: a leader of the past copies nothing.
/// </summary>
internal static class StoreCopy
{
    private const int CommandsPerWrite = 200;

    /// <summary>Arguments that Lua can spread are few thousand.</summary>
    private const int ItemsPerCommand = 1000;

    /// <summary>Never copied: the lease and what guards it are each store's own.</summary>
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

    /// <summary>
    /// Not copied either, nor removed: keys and accounts of OneApi, which are in the first store only.
    /// </summary>
    private const string OneApiPrefix = "oneapi:";

    /// <summary>The number of keys copied; null when the target refused.</summary>
    public static async Task<int?> CopyAsync(
        IConnectionMultiplexer source,
        IConnectionMultiplexer target,
        StoreKeys keys,
        long token,
        StorePosition position
    )
    {
        var from = source.GetDatabase();
        var to = target.GetDatabase();
        var wanted = await DataKeysAsync(source, keys);
        var surplus = await DataKeysAsync(target, keys);
        // Until the copy is complete, the target's position is "copying": no leader may start from this store.
        IEnumerable<FencedCommand> commands = surplus.Select(key => new FencedCommand("DEL", key));
        foreach (var batch in commands.Chunk(CommandsPerWrite).DefaultIfEmpty([]))
        {
            if (await FencedScript.RunAsync(to, keys, token, "", "copying", batch) != StoreAnswer.Done)
                return null;
        }
        foreach (var batch in wanted.Chunk(CommandsPerWrite))
        {
            var read = await Task.WhenAll(batch.Select(key => ReadAsync(from, key)));
            // A long list takes several commands, and each of these a script of its own.
            foreach (var commandsOfOne in read.SelectMany(list => list).Chunk(CommandsPerWrite))
            {
                if (await FencedScript.RunAsync(to, keys, token, "", "copying", commandsOfOne) != StoreAnswer.Done)
                    return null;
            }
        }
        // A store that has done nothing yet is at no position, so that the first write finds what it expects.
        FencedCommand[] end = position == default ? [new FencedCommand("DEL", keys["position"])] : [];
        return await FencedScript.RunAsync(to, keys, token, "", position.ToString(), end) == StoreAnswer.Done
            ? wanted.Count
            : null;
    }

    private static async Task<List<string>> DataKeysAsync(IConnectionMultiplexer store, StoreKeys keys)
    {
        var guards = Guards.Select(name => keys[name]).ToHashSet(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        // Braces and brackets mean something in a pattern; the prefix is checked again below.
        await foreach (
            var key in store
                .GetServers()[0]
                .KeysAsync(pattern: keys[""].Replace("[", "?", StringComparison.Ordinal) + "*", pageSize: 1000)
        )
        {
            var name = (string)key!;
            if (!guards.Contains(name) && !name.StartsWith(keys[OneApiPrefix], StringComparison.Ordinal))
                found.Add(name);
        }
        return [.. found];
    }

    private static async Task<IReadOnlyList<FencedCommand>> ReadAsync(IDatabase store, string key)
    {
        switch (await store.KeyTypeAsync(key))
        {
            case RedisType.String:
                return [new FencedCommand("SET", key, await store.StringGetAsync(key))];
            case RedisType.List:
                return
                [
                    .. (await store.ListRangeAsync(key))
                        .Chunk(ItemsPerCommand)
                        .Select(items => new FencedCommand("RPUSH", key, items)),
                ];
            case RedisType.SortedSet:
                var entries = await store.SortedSetRangeByRankWithScoresAsync(key);
                return
                [
                    .. entries
                        .Chunk(ItemsPerCommand)
                        .Select(some => new FencedCommand(
                            "ZADD",
                            key,
                            [
                                .. some.SelectMany(entry =>
                                    new RedisValue[]
                                    {
                                        entry.Score.ToString("R", CultureInfo.InvariantCulture),
                                        entry.Element,
                                    }
                                ),
                            ]
                        )),
                ];
            case RedisType.None:
                return [];
            case var other:
                throw new NotSupportedException(
                    $"Exclusive data of type {other} is not copied between stores; teach StoreCopy."
                );
        }
    }
}
