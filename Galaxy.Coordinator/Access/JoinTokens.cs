using System.Security.Cryptography;
using System.Text.Json;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Access;

/// <summary>
/// A token that is changed once for a key. Its secret is <c>gxj-{id}-{64 hexadecimal digits}</c>; kept is the SHA-256.
/// </summary>
internal sealed record JoinToken
{
    public const string Prefix = "gxj-";

    public required string Id { get; init; }
    public required string Role { get; init; }

    /// <summary>Of the key; null: as the joining one calls itself.</summary>
    public string? Name { get; init; }

    public required string Hash { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public string By { get; init; } = "";
    public DateTimeOffset? Used { get; init; }

    /// <summary>What it was changed for.</summary>
    public string? KeyId { get; init; }
    public string? KeyHash { get; init; }

    /// <summary>A new secret and the id within it.</summary>
    public static (string Id, string Secret) Create()
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        return (id, Prefix + id + "-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
    }

    /// <summary>The id that a secret names; null: it is none.</summary>
    public static string? IdOf(string? secret) =>
        secret?.Split('-') is ["gxj", { Length: 12 } id, { Length: 64 }] && id.All(char.IsAsciiHexDigitLower)
            ? id
            : null;
}

/// <summary>A join that is refused; the message says why.</summary>
internal sealed class JoinRefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}

/// <summary>
/// Join tokens, in the store: that one counts once is decided by the leader alone, under its fencing token, so that two
/// leaders cannot both take it. Thread-safe.
/// </summary>
internal sealed class JoinTokens(
    FencedWriter writer,
    FencedStores stores,
    AccessKeys keys,
    NodeOptions node,
    TimeProvider time,
    Quarantine quarantine
) : IStoredRecords, IDisposable
{
    private const int Most = 1000;

    /// <summary>So long a joining one may ask again when the answer was lost.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <summary>So long after its end a token is still listed, and refused for what it is.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(7);

    private readonly string _name = new StoreKeys(node.Cluster)["joins"];
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <exception cref="NotLeaderException">This node does not lead.</exception>
    /// <exception cref="StoreUnavailableException">The store did not answer.</exception>
    public async Task<(JoinToken Token, string Secret)> CreateAsync(
        AccessRole role,
        string? name,
        TimeSpan lifetime,
        string by
    )
    {
        var all = await ListAsync();
        var now = time.GetUtcNow();
        var gone = all.Where(token => token.Expires < now - Remembered).Select(token => (RedisValue)token.Id).ToArray();
        if (all.Count - gone.Length >= Most)
            throw new JoinRefusedException(409, $"There are {Most:N0} join tokens already: delete some.");
        var (id, secret) = JoinToken.Create();
        var token = new JoinToken
        {
            Id = id,
            Role = role.Name(),
            Name = name,
            Hash = AccessKey.HashOf(secret),
            Created = now,
            Expires = now + lifetime,
            By = by,
        };
        List<FencedCommand> commands = [Write(token)];
        if (gone.Length > 0)
            commands.Add(new FencedCommand("HDEL", _name, gone));
        await writer.WriteAsync([.. commands]);
        return (token, secret);
    }

    /// <summary>Newest first.</summary>
    /// <exception cref="StoreUnavailableException">The store did not answer.</exception>
    public async Task<IReadOnlyList<JoinToken>> ListAsync()
    {
        var stored = (await ReadAsync(store => store.HashGetAllAsync(_name))).ToDictionary(
            field => (string)field.Name!,
            field => field.Value,
            StringComparer.Ordinal
        );
        quarantine.Keep(Kind, stored.ContainsKey);
        return
        [
            .. stored
                .Select(field => Parse(field.Key, field.Value))
                .OfType<JoinToken>()
                .OrderByDescending(token => token.Created),
        ];
    }

    /// <summary>False: there was none.</summary>
    public async Task<bool> DeleteAsync(string id)
    {
        if (await FindAsync(id) is null)
            return false;
        await writer.WriteAsync(new FencedCommand("HDEL", _name, id));
        return true;
    }

    /// <summary>Changes a token for a key, whose secret only the joining one knows.</summary>
    /// <exception cref="JoinRefusedException">It does not open.</exception>
    public async Task<AccessKey> JoinAsync(string secret, string name, string keyId, string keyHash)
    {
        await _oneAtATime.WaitAsync();
        try
        {
            var token = JoinToken.IdOf(secret) is { } id ? await FindAsync(id) : null;
            if (token is null || !ApiKey.Matches(secret, Convert.FromHexString(token.Hash)))
                throw new JoinRefusedException(
                    401,
                    "This join token is unknown. An admin makes one with 'galaxy token create'."
                );
            var now = time.GetUtcNow();
            if (token.Used is { } used)
            {
                // The same one asks again, for instance because a leader died before its answer was there.
                if (token.KeyId != keyId || token.KeyHash != keyHash || now - used > Again)
                    throw new JoinRefusedException(
                        401,
                        "This join token has been used; each is good for one device. An admin makes "
                            + "another with 'galaxy token create'."
                    );
            }
            else if (token.Expires <= now)
            {
                throw new JoinRefusedException(
                    401,
                    $"This join token expired on {token.Expires:yyyy-MM-dd HH:mm} UTC. An admin makes "
                        + "another with 'galaxy token create'."
                );
            }
            if (keys.Find(keyId) is { } taken && taken.Hash != keyHash)
                throw new JoinRefusedException(409, "'key_id' is taken: choose another.");
            await writer.WriteAsync(Write(token with { Used = token.Used ?? now, KeyId = keyId, KeyHash = keyHash }));
            var key = new AccessKey
            {
                Id = keyId,
                Name = token.Name ?? name,
                Role = token.Role,
                Hash = keyHash,
                Created = now,
                By = $"join token {token.Id} of {token.By}",
            };
            return keys.TryPut(key)
                ? key
                : throw new JoinRefusedException(409, "There are as many keys as there may be: withdraw some.");
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public string Kind => "join_tokens";

    public Task ReadAgainAsync(string id) => FindAsync(id);

    Task IStoredRecords.DeleteAsync(string id) => writer.WriteAsync(new FencedCommand("HDEL", _name, id));

    private FencedCommand Write(JoinToken token) =>
        new("HSET", _name, token.Id, JsonSerializer.Serialize(token, GalaxyJson.Options));

    private Task<JoinToken?> FindAsync(string id) =>
        ReadAsync(async store => Parse(id, await store.HashGetAsync(_name, id)));

    private JoinToken? Parse(string id, RedisValue text) =>
        text.IsNull
            ? null
            : quarantine.Read<JoinToken>(Kind, id, (byte[])text!, token =>
                ApiKey.IsFingerprint(token.Hash) ? token.Id : null
            );

    private async Task<T> ReadAsync<T>(Func<IDatabase, Task<T>> read)
    {
        try
        {
            return await read(stores.Reader);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }

    public void Dispose() => _oneAtATime.Dispose();
}
