using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>Several coordinators at once: nobody's call may wait until it times out.</summary>
public class ContentionTests
{
    private const int Nodes = 8;
    private const int Rounds = 150;

    [Fact]
    public Task On_Garnet_no_call_starves() => NoCallStarvesAsync(new GarnetStore());

    [Fact]
    public Task On_redis_server_no_call_starves() => NoCallStarvesAsync(new RedisServerStore());

    private static async Task NoCallStarvesAsync(RealStore store)
    {
        await using var owned = store;
        await store.InitializeAsync();
        var keys = new StoreKeys("contention");
        // A call that is not answered within the connection's two seconds throws.
        await Task.WhenAll(
            Enumerable
                .Range(0, Nodes)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        await using var redis = await store.ConnectAsync();
                        var lease = new LeaseStore(
                            new RedisStores([redis]),
                            new NodeOptions { NodeId = "n" + i, Cluster = "contention" }
                        );
                        for (var round = 0; round < Rounds; round++)
                        {
                            await lease.ReadAsync(TimeSpan.FromSeconds(3), 0);
                            var (held, _, _) = await lease.AcquireAsync(
                                new LeaseRecord("n" + i, "boot" + i, 0, "", "", 1),
                                null,
                                0,
                                TimeSpan.FromSeconds(3),
                                () => { }
                            );
                            if (held is null)
                                continue;
                            await FencedScript.RunAsync(
                                redis.GetDatabase(),
                                keys,
                                held.Token,
                                "",
                                "",
                                [new("SET", keys["k"], "v"), new("ZADD", keys["open"], "1", "t")]
                            );
                            await lease.RenewAsync(held, TimeSpan.FromSeconds(3));
                            await lease.ReleaseAsync(
                                held.Boot,
                                held.Token,
                                new LeaseRelease("", "n" + i, "manual", ""),
                                TimeSpan.FromMilliseconds(50)
                            );
                        }
                    })
                )
        );
    }
}
