using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>
/// What the store has acknowledged is there after its process was killed: it has left the process. Whether it has left
/// the machine's memory, too, no kill can tell: that is a matter of how a store is started.
/// </summary>
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
        var acquired = await Node(redis)
            .AcquireAsync(
                new LeaseRecord("a", "boot", 0, "http://a", "", 1),
                null,
                0,
                TimeSpan.FromMinutes(5),
                () => { }
            );
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(
                StoreAnswer.Done,
                await FencedScript.RunAsync(
                    redis.GetDatabase(),
                    keys,
                    acquired.Lease!.Token,
                    "",
                    "",
                    [new("SET", keys["k" + i], "v" + i), new("RPUSH", keys["list"], "v" + i)]
                )
            );
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

    /// <summary>
    /// The embedded store is given 64 MiB of memory; the rest must not be forgotten, neither at once nor after a crash.
    /// </summary>
    [Fact]
    public async Task Garnet_keeps_what_does_not_fit_into_its_memory()
    {
        const int Keys = 20_000,
            InScript = 100;
        await using var store = new GarnetStore();
        await store.InitializeAsync();
        await using var redis = await store.ConnectAsync();
        var keys = new StoreKeys("galaxy");
        var acquired = await Node(redis)
            .AcquireAsync(
                new LeaseRecord("a", "boot", 0, "http://a", "", 1),
                null,
                0,
                TimeSpan.FromMinutes(5),
                () => { }
            );
        var value = new string('x', 6000);
        for (var i = 0; i < Keys; i += InScript)
        {
            Assert.Equal(
                StoreAnswer.Done,
                await FencedScript.RunAsync(
                    redis.GetDatabase(),
                    keys,
                    acquired.Lease!.Token,
                    "",
                    "",
                    [
                        .. Enumerable
                            .Range(i, InScript)
                            .Select(n => new FencedCommand("SET", keys["k" + n], n + value)),
                        new(
                            "ZADD",
                            keys["set"],
                            [.. Enumerable.Range(i, InScript).SelectMany(n => new RedisValue[] { n, "k" + n })]
                        ),
                    ]
                )
            );
        }
        await AllThereAsync(redis);

        await store.KillAsync();
        await store.StartAsync();
        await using var again = await store.ConnectAsync();
        await AllThereAsync(again);

        async Task AllThereAsync(IConnectionMultiplexer connection)
        {
            var db = connection.GetDatabase();
            var missing = new List<int>();
            foreach (var some in Enumerable.Range(0, Keys).Chunk(500))
            {
                var values = await db.StringGetAsync([.. some.Select(n => (RedisKey)keys["k" + n])]);
                missing.AddRange(some.Where((n, at) => values[at] != n + value));
            }
            Assert.Empty(missing);
            Assert.Equal(Keys, await db.SortedSetLengthAsync(keys["set"]));
            Assert.Equal(1, (await Node(connection).ReadAsync(TimeSpan.FromSeconds(30), 0)).Lease!.Token);
        }
    }

    private static LeaseStore Node(IConnectionMultiplexer redis) =>
        new(new RedisStores([redis]), new NodeOptions { NodeId = "a" });
}
