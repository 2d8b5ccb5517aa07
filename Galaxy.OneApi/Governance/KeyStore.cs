using System.Collections.Concurrent;
using System.Text.Json;
using Galaxy.ServiceDefaults.Input;
using StackExchange.Redis;

namespace Galaxy.OneApi.Governance;

/// <summary>
/// The keys, in the store; a key that was looked up is cached for a few seconds, so that a withdrawn key is soon
/// refused everywhere. Thread-safe.
/// </summary>
internal sealed class KeyStore(GovernanceStore store, TimeProvider time)
{
    private static readonly TimeSpan Believe = TimeSpan.FromSeconds(2);
    private const int MostRemembered = 10_000;

    private readonly ConcurrentDictionary<string, (VirtualKey? Key, DateTimeOffset At)> _known = [];

    private RedisKey Keys => store.Key("keys");

    private RedisKey Hashes => store.Key("key-hashes");

    /// <exception cref="StoreMissingException">The store does not answer.</exception>
    public async ValueTask<VirtualKey?> FindBySecretAsync(string secret)
    {
        var hash = VirtualKey.HashOf(secret);
        if (_known.TryGetValue(hash, out var known) && time.GetUtcNow() - known.At < Believe)
            return known.Key;
        var key = await store.UseAsync(async db =>
            await db.HashGetAsync(Hashes, hash) is { HasValue: true } id ? Read(await db.HashGetAsync(Keys, id)) : null
        );
        // Wrong keys are remembered too, but they may not fill the memory.
        if (_known.Count >= MostRemembered)
            _known.Clear();
        _known[hash] = (key, time.GetUtcNow());
        return key;
    }

    public Task<VirtualKey?> FindAsync(string id) => store.UseAsync(async db => Read(await db.HashGetAsync(Keys, id)));

    public Task<List<VirtualKey>> ListAsync() =>
        store.UseAsync(async db =>
            (await db.HashGetAllAsync(Keys))
                .Select(entry => Read(entry.Value))
                .OfType<VirtualKey>()
                .OrderBy(key => key.Created)
                .ToList()
        );

    public async Task SaveAsync(VirtualKey key)
    {
        await store.UseAsync(async db =>
        {
            var both = db.CreateTransaction();
            _ = both.HashSetAsync(Keys, key.Id, JsonSerializer.Serialize(key, GalaxyJson.Options));
            _ = both.HashSetAsync(Hashes, key.Hash, key.Id);
            return await both.ExecuteAsync();
        });
        _known.TryRemove(key.Hash, out _);
    }

    public async Task<bool> DeleteAsync(string id)
    {
        if (await FindAsync(id) is not { } key)
            return false;
        await store.UseAsync(async db =>
        {
            var both = db.CreateTransaction();
            _ = both.HashDeleteAsync(Keys, id);
            _ = both.HashDeleteAsync(Hashes, key.Hash);
            return await both.ExecuteAsync();
        });
        _known.TryRemove(key.Hash, out _);
        return true;
    }

    private static VirtualKey? Read(RedisValue value) =>
        value.HasValue ? JsonSerializer.Deserialize<VirtualKey>((string)value!, GalaxyJson.Options) : null;
}
