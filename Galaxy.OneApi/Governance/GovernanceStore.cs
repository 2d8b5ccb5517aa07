using Galaxy.OneApi.Dialects;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.OneApi.Governance;

/// <summary>
/// The store that all gateways count in. Of a quorum of stores it is the first: counters that are to be exact have one place. Without it keys
/// are refused, and the cluster's own key goes on. Thread-safe.
/// </summary>
internal sealed class GovernanceStore : IAsyncDisposable
{
    // Who asks a model waits for seconds anyway: a store that is slow for a moment, under a thousand at once, is no reason to refuse.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lazy<Task<ConnectionMultiplexer>>? _store;
    private readonly string _prefix;

    public GovernanceStore(IConfiguration configuration, NodeOptions node)
    {
        _prefix = $"{{galaxy:{node.Cluster}}}:oneapi:";
        var isSet = configuration.GetConnectionString("redis") is { Length: > 0 } || configuration["Aspire:StackExchange:Redis:ConnectionString"] is { Length: > 0 };
        if (!isSet)
            return;
        var options = RedisStore.ReadOptions(configuration)[0];
        options.AsyncTimeout = (int)Patience.TotalMilliseconds;
        _store = new(() => ConnectionMultiplexer.ConnectAsync(options));
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

    public async ValueTask DisposeAsync()
    {
        if (_store is { IsValueCreated: true })
            await (await _store.Value).DisposeAsync();
    }
}

internal sealed class StoreMissingException(string reason) : Exception(reason)
{
    public ModelError Error => new(ErrorKind.Unavailable, $"Limits and keys cannot be checked now: {Message}. The cluster's own key works without them.", RetryAfter: TimeSpan.FromSeconds(1));
}
