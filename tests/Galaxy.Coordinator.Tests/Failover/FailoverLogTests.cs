using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tests.Storage;
using Galaxy.Coordinator.Tests.Stores;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Coordinator.Tests.Failover;

/// <summary>A record is written again when the store's answer did not come.</summary>
public class FailoverLogTests
{
    [Fact]
    public Task On_Garnet_a_record_that_is_written_again_is_there_once() => OnceAsync(new GarnetStore());

    [Fact]
    public Task On_redis_server_a_record_that_is_written_again_is_there_once() => OnceAsync(new RedisServerStore());

    private static async Task OnceAsync(RealStore store)
    {
        await using var owned = store;
        await store.InitializeAsync();
        await using var redis = await store.ConnectAsync();
        var (stores, node) = (new RedisStores([redis]), new NodeOptions { NodeId = "a", Cluster = "log" });
        using var fenced = new FencedStores(stores, node, NullLogger<FencedStores>.Instance);
        var log = new FailoverLog(null!, fenced, Quarantines.New(), node);
        var (lease, _, _) = await new LeaseStore(stores, node).AcquireAsync(
            new LeaseRecord("a", "boot", 0, "http://a", "", 1),
            null,
            0,
            TimeSpan.FromMinutes(5),
            () => { }
        );

        foreach (var id in new[] { "first", "second", "second", "second" })
            Assert.Equal(WriteAnswer.Done, await fenced.WriteAsync(lease!.Token, log.Commands(Record(id))));

        Assert.Equal(["second", "first"], (await log.ReadAsync()).Select(record => record.Id));
        Assert.Equal(2, await redis.GetDatabase().ListLengthAsync(new StoreKeys("log")["failovers"]));
    }

    private static FailoverRecord Record(string id) =>
        new(
            id,
            "",
            "b",
            "a",
            "crash",
            "",
            1,
            2,
            DateTimeOffset.UnixEpoch,
            DateTimeOffset.UnixEpoch,
            0,
            [new FailoverStep("detect", 0, 1)]
        );
}
