using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Runs <see cref="LeaseScripts.Fenced"/> on one store. What it calls done is on that store's disk, as far as that
/// store promises it.
/// </summary>
internal static class FencedScript
{
    /// <param name="at">Where the store must be; empty: anywhere.</param>
    /// <param name="next">Where it is afterwards; empty: no position is kept.</param>
    public static async Task<StoreAnswer> RunAsync(
        IDatabase database,
        StoreKeys names,
        long token,
        string at,
        string next,
        IReadOnlyList<FencedCommand> commands
    )
    {
        var keys = new List<RedisKey> { names["accepted"], names["born"], names["position"] };
        var arguments = new List<RedisValue> { token, at, next };
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var command in commands)
        {
            if (!places.TryGetValue(command.Key, out var index))
            {
                places[command.Key] = index = keys.Count;
                keys.Add(command.Key);
            }
            arguments.Add(command.Arguments.Length);
            arguments.Add(command.Command);
            arguments.Add(index + 1);
            arguments.AddRange(command.Arguments);
        }
        // Both go out at once: on one connection the second is looked at after the first was done.
        var evaluating = RedisStore.TracedAsync("fenced.write", () =>
            database.ScriptEvaluateAsync(LeaseScripts.Fenced, [.. keys], [.. arguments])
        );
        var committing = RedisStore.TracedAsync("store.commit", () => StoreCommit.AfterWriteAsync(database));
        var committedTooEarly = await Task.WhenAny(evaluating, committing) == committing;
        await Task.WhenAll(evaluating, committing);
        var answer = (RedisResult[])(await evaluating)!;
        if ((int)answer[0] == 1)
        {
            // A store that has just been started did not know the script, and was sent it again.
            if (committedTooEarly)
                await StoreCommit.AfterWriteAsync(database);
            return StoreAnswer.Done;
        }
        return (string?)answer[1] switch
        {
            "unborn" => StoreAnswer.Unborn,
            "gap" => StoreAnswer.Gap,
            _ => StoreAnswer.Stale,
        };
    }
}
