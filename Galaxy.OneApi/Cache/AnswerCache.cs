using System.Security.Cryptography;
using System.Text;
using Galaxy.OneApi.Governance;
using StackExchange.Redis;

namespace Galaxy.OneApi.Cache;

/// <param name="Body">As it went to the client, events and all.</param>
internal sealed record CachedAnswer(string MediaType, byte[] Body, string Target);

/// <summary>
/// Answers to requests that are the same to the byte, for callers that ask for it, separately for each key. Kept in the
/// store that all gateways share; while it is away there is no cache. Thread-safe.
/// </summary>
internal sealed class AnswerCache(GovernanceStore store)
{
    /// <summary>Longer answers are not kept.</summary>
    public const int LongestAnswer = 1024 * 1024;

    public static readonly TimeSpan LongestTtl = TimeSpan.FromDays(1);

    public static string KeyOf(Caller caller, string path, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{caller.Id}\n{path}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public async Task<CachedAnswer?> FindAsync(string key)
    {
        try
        {
            var entries = await store.UseAsync(db =>
                db.HashGetAsync(store.Key("cache:" + key), ["type", "body", "target"])
            );
            return entries[1].HasValue ? new CachedAnswer(entries[0]!, entries[1]!, entries[2]!) : null;
        }
        catch (StoreMissingException)
        {
            return null;
        }
    }

    public async Task KeepAsync(string key, CachedAnswer answer, TimeSpan ttl)
    {
        try
        {
            await store.UseAsync(async db =>
            {
                var all = db.CreateTransaction();
                _ = all.HashSetAsync(
                    store.Key("cache:" + key),
                    [
                        new HashEntry("type", answer.MediaType),
                        new HashEntry("body", answer.Body),
                        new HashEntry("target", answer.Target),
                    ]
                );
                _ = all.KeyExpireAsync(store.Key("cache:" + key), ttl);
                return await all.ExecuteAsync();
            });
        }
        catch (StoreMissingException)
        {
            // Without the cache the provider is asked again.
        }
    }
}
