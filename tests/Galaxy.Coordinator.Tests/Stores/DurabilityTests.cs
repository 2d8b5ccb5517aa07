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
        var lease = new Galaxy.Coordinator.Election.LeaseStore(redis, new ServiceDefaults.Nodes.NodeOptions { NodeId = "a" });
        var acquired = await lease.AcquireAsync("boot", "http://a", "", 0, TimeSpan.FromMinutes(5), 1);
        for (var i = 0; i < 500; i++)
            Assert.True(await lease.WriteAsync(acquired!.Token, [new("SET", lease.Key("k" + i), "v" + i), new("RPUSH", lease.Key("list"), "v" + i)]));

        await store.KillAsync();
        await store.StartAsync();

        await using var again = await store.ConnectAsync();
        var db = again.GetDatabase();
        for (var i = 0; i < 500; i++)
            Assert.Equal("v" + i, (string?)await db.StringGetAsync(lease.Key("k" + i)));
        Assert.Equal(500, await db.ListLengthAsync(lease.Key("list")));
        Assert.Equal(1, (await new Galaxy.Coordinator.Election.LeaseStore(again, new ServiceDefaults.Nodes.NodeOptions { NodeId = "a" }).ReadAsync()).Lease!.Token);
    }
}
