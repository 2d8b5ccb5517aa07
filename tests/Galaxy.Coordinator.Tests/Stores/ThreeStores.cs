using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>
/// Three redis-servers that form a quorum; a lease is short, so that a fresh store's silence is over soon.
/// </summary>
public sealed class ThreeStores : IAsyncLifetime
{
    public static readonly TimeSpan Ttl = TimeSpan.FromMilliseconds(600);

    private readonly List<IConnectionMultiplexer> _connections = [];

    public IReadOnlyList<RedisServerStore> Stores { get; } = [new(), new(), new()];

    public async ValueTask InitializeAsync()
    {
        foreach (var store in Stores)
            await store.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            await connection.DisposeAsync();
        foreach (var store in Stores)
            await store.DisposeAsync();
    }

    internal async Task<RedisStores> ConnectAsync()
    {
        foreach (var store in Stores)
            _connections.Add(await store.ConnectAsync());
        return new RedisStores([.. _connections.TakeLast(Stores.Count)]);
    }

    internal static LeaseStore Lease(RedisStores stores, string cluster) =>
        new(stores, new NodeOptions { NodeId = "a", Cluster = cluster });

    internal static FencedStores Fenced(RedisStores stores, string cluster) =>
        new(stores, new NodeOptions { NodeId = "a", Cluster = cluster }, NullLogger<FencedStores>.Instance);

    /// <summary>Tries until the silence is over.</summary>
    internal static async Task<LeaseRecord> AcquiredAsync(
        LeaseStore store,
        string name,
        long minToken = 0,
        TimeSpan? ttl = null
    )
    {
        LeaseRecord? lease = null;
        await Eventually.TrueAsync(async () =>
        {
            lease = (
                await store.AcquireAsync(
                    new LeaseRecord(name, "boot-" + name, 0, "http://" + name, "", 1),
                    null,
                    minToken,
                    Ttl,
                    () => { }
                )
            ).Lease;
            // What a short lease made silent speaks again soon.
            return lease is not null && (ttl is null || await store.RenewAsync(lease, ttl.Value));
        });
        return lease!;
    }
}
