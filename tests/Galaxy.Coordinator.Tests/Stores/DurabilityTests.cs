using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>What the store has acknowledged is there after it was killed.</summary>
public class DurabilityTests
{
    [Fact]
    public Task Garnet_keeps_what_it_has_acknowledged() => SurvivesAsync(new GarnetStore());

    [Fact]
    public Task Redis_server_keeps_what_it_has_acknowledged() => SurvivesAsync(new RedisServerStore());

    private static async Task SurvivesAsync(RealStore store)
    {
        await using var owned = store;
        await store.InitializeAsync();
        await using var redis = await store.ConnectAsync();
        var keys = new StoreKeys("galaxy");
        var acquired = await Node(redis).AcquireAsync(new LeaseRecord("a", "boot", 0, "http://a", "", 1), null, 0, TimeSpan.FromMinutes(5), () => { });
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(StoreAnswer.Done, await FencedScript.RunAsync(redis.GetDatabase(), keys, acquired.Lease!.Token, "", "",
                [new("SET", keys["k" + i], "v" + i), new("RPUSH", keys["list"], "v" + i)]));
        }

        await store.KillAsync();
        await store.StartAsync();

        await using var again = await store.ConnectAsync();
        var db = again.GetDatabase();
        for (var i = 0; i < 500; i++)
            Assert.Equal("v" + i, (string?)await db.StringGetAsync(keys["k" + i]));
        Assert.Equal(500, await db.ListLengthAsync(keys["list"]));
        Assert.Equal(1, (await Node(again).ReadAsync(TimeSpan.FromSeconds(30), 0)).Lease!.Token);
    }

    private static LeaseStore Node(IConnectionMultiplexer redis) => new(new RedisStores([redis]), new NodeOptions { NodeId = "a" });
}
