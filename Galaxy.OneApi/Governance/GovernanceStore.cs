using Galaxy.OneApi.Dialects;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.OneApi.Governance;

/// <summary>
/// The store that all gateways count in. Of a quorum of stores it is the first: counters that are to be exact have one
/// place. Without it keys are refused, and the cluster's own key goes on. Thread-safe.
/// </summary>
internal sealed class GovernanceStore
{
    private const string ClientKey = "models";

    // A model takes seconds to answer: a store that is slow for a moment, under a thousand requests at once, is no
    // reason to refuse.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Lazy<Task<IConnectionMultiplexer>>? _store;
    private readonly string _prefix;

    public GovernanceStore(IServiceProvider services, IConfiguration configuration, NodeOptions node)
    {
        _prefix = $"{{galaxy:{node.Cluster}}}:oneapi:";
        // The first request that needs the store opens it, on a thread that may wait.
        if (RedisStore.IsConfigured(configuration))
            _store = new(() => Task.Run(() => services.GetRequiredKeyedService<IConnectionMultiplexer>(ClientKey)));
    }

    /// <summary>Registers the client of the store, where one is configured.</summary>
    public static void AddClient(IHostApplicationBuilder builder)
    {
        if (RedisStore.IsConfigured(builder.Configuration))
        {
            builder.AddRedisStore(
                ClientKey,
                RedisStore.ReadConnectionStrings(builder.Configuration)[0],
                options: redis =>
                {
                    redis.AsyncTimeout = (int)Timeout.TotalMilliseconds;
                    // The first request waits for the connection as it waits for an answer.
                    redis.ConnectTimeout = (int)Timeout.TotalMilliseconds;
                }
            );
        }
    }

    /// <summary>A store is configured.</summary>
    public bool IsThere => _store is not null;

    public RedisKey Key(string name) => _prefix + name;

    /// <exception cref="StoreMissingException">There is none, or it does not answer.</exception>
    public async Task<T> UseAsync<T>(Func<IDatabase, Task<T>> call)
    {
        if (_store is null)
            throw new StoreMissingException("this gateway has no store (ConnectionStrings__redis)");
        try
        {
            return await call((await _store.Value).GetDatabase());
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreMissingException("the store does not answer");
        }
    }
}

internal sealed class StoreMissingException(string reason) : Exception(reason)
{
    public ModelError Error =>
        new(
            ErrorKind.Unavailable,
            $"Limits and keys cannot be checked now: {Message}. The cluster's own key works without them.",
            RetryAfter: TimeSpan.FromSeconds(1)
        );
}
