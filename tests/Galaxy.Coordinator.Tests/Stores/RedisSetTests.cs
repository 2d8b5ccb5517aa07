using Galaxy.Coordinator.Backup;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>Redis by Sentinel and by Cluster, with connection strings as StackExchange.Redis takes them.</summary>
public class RedisSetTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private readonly StoreKeys _keys = new("sets");

    [Fact]
    public async Task With_Sentinel_a_leader_goes_on_when_the_master_is_lost()
    {
        Assert.SkipWhen(RedisSet.Absent is not null, RedisSet.Absent ?? "");
        await using var set = new SentinelSet();
        await set.StartAsync();
        var stores = await ConnectAsync(set);
        var lease = Lease(stores);
        var held = (
            await lease.AcquireAsync(new LeaseRecord("a", "boot-a", 0, "", "", 1), null, 0, Long, () => { })
        ).Lease!;
        Assert.Equal(StoreAnswer.Done, await WriteAsync(stores, held.Token, "before"));
        await Eventually.TrueAsync(async () =>
            await stores.All[0].GetDatabase().ExecuteAsync("WAIT", 1, 1000) is var replicas && (long)replicas == 1
        );

        await set.KillAsync(set.Master);

        // Sentinel makes the replica the master, and the connections follow.
        await Eventually.TrueAsync(async () =>
            await TryAsync(async () => await WriteAsync(stores, held.Token, "after") == StoreAnswer.Done)
        );
        // The connections for the lease are others, and follow in their own time; the elector renews again and again.
        await Eventually.TrueAsync(async () => await TryAsync(() => lease.RenewAsync(held, Long)));
        Assert.Equal("before", (string?)await stores.All[0].GetDatabase().StringGetAsync(_keys["before"]));
        Assert.Equal(StoreAnswer.Stale, await WriteAsync(stores, held.Token - 1, "stale"));
        await DisposeAsync(stores);
    }

    [Fact]
    public async Task With_a_Cluster_lease_writes_and_backup_work()
    {
        Assert.SkipWhen(RedisSet.Absent is not null, RedisSet.Absent ?? "");
        await using var set = new ClusterSet();
        await set.StartAsync();
        var stores = await ConnectAsync(set);
        var lease = Lease(stores);
        var held = (
            await lease.AcquireAsync(new LeaseRecord("a", "boot-a", 0, "", "", 1), null, 0, Long, () => { })
        ).Lease!;
        foreach (var name in (string[])["one", "two", "three"])
            Assert.Equal(StoreAnswer.Done, await WriteAsync(stores, held.Token, name));
        Assert.True(await lease.RenewAsync(held, Long));
        Assert.Null(
            (await lease.AcquireAsync(new LeaseRecord("b", "boot-b", 0, "", "", 1), null, 0, Long, () => { })).Lease
        );
        Assert.Equal(StoreAnswer.Stale, await WriteAsync(stores, held.Token - 1, "stale"));

        // All keys of a cluster of ours are in one slot, whichever node has it.
        var dumped = await StoreDump.ReadAsync(stores.All[0], _keys, _ => true, (_, _) => { });
        Assert.Equal(["one", "three", "two"], dumped.Select(key => key.Name));
        await DisposeAsync(stores);
    }

    private static async Task<RedisStores> ConnectAsync(RedisSet set)
    {
        // The clients that a coordinator has; they live as long as the test disposes of them.
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration["ConnectionStrings:redis"] = set.ConnectionString;
        builder.AddRedisStores(withUrgent: true);
        var host = builder.Build();
        await host.ConnectStoresAsync();
        var stores = host.Services.GetRequiredService<RedisStores>();
        await Eventually.TrueAsync(() =>
            TryAsync(async () => await stores.All[0].GetDatabase().PingAsync() > TimeSpan.Zero)
        );
        return stores;
    }

    private static LeaseStore Lease(RedisStores stores) =>
        new(stores, new NodeOptions { NodeId = "a", Cluster = "sets" });

    private Task<StoreAnswer> WriteAsync(RedisStores stores, long token, string name) =>
        FencedScript.RunAsync(
            stores.All[0].GetDatabase(),
            _keys,
            token,
            "",
            "",
            [new FencedCommand("SET", _keys[name], name)]
        );

    private static async Task<bool> TryAsync(Func<Task<bool>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception notYet) when (notYet is RedisException or TimeoutException or StoreUnavailableException)
        {
            return false;
        }
    }

    private static async Task DisposeAsync(RedisStores stores)
    {
        foreach (var store in stores.All.Concat(stores.Urgent))
            await store.DisposeAsync();
    }
}
