using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>The connections to the store, or to the three or five of a quorum, in configured order.</summary>
public sealed record RedisStores(IReadOnlyList<IConnectionMultiplexer> All)
{
    /// <summary>
    /// The same stores over connections of their own, for what must not wait: a connection's answers come in the order
    /// of its questions, and a lease behind a hundred writes runs out.
    /// </summary>
    public IReadOnlyList<IConnectionMultiplexer> Urgent { get; init; } = All;

    /// <summary>How each is reached, in the same order; empty where connections were made by hand.</summary>
    public IReadOnlyList<ConfigurationOptions> Options { get; init; } = [];
}
