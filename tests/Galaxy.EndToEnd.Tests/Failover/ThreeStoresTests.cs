using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting.Supervision;
using StackExchange.Redis;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>The system on three stores that make a quorum.</summary>
public sealed class GalaxyOnThreeStores : RunningGalaxy
{
    protected override string[] Options => ["--redis", "server", "--stores", "3", "--no-workers"];

    protected override int Workers => 0;
}

[Collection("system")]
public sealed class ThreeStoresTests(GalaxyOnThreeStores galaxy) : IClassFixture<GalaxyOnThreeStores>
{
    private const int Attempts = 5;
    private static readonly string[] Stores = ["redis", "redis-2", "redis-3"];

    [Fact]
    public async Task Killing_any_one_store_changes_nothing_and_killing_two_is_read_only_until_one_is_back()
    {
        var leader = await LeaderOfAllAsync();
        var first = await galaxy.SubmitAsync(new { action = "nobody-can" });
        foreach (var store in Stores)
        {
            await galaxy.Host.StopAsync(store);
            await galaxy.SubmitAsync(new { action = "nobody-can" });
            // Stored while another store was the one that was missing.
            using (var answer = await galaxy.Http.GetAsync("/api/v1/tasks/" + first))
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var now = await galaxy.LeaderAsync();
            Assert.True(
                (leader.NodeId, leader.Token) == (now.NodeId, now.Token),
                $"Without {store} {now.NodeId} leads under token {now.Token}; it was {leader.NodeId} under "
                    + $"{leader.Token}. {await galaxy.Http.GetStringAsync("/api/v1/failovers")}"
            );
            galaxy.Host.Start(store);
            await Eventually.TrueAsync(() => Task.FromResult(galaxy.Host.State(store) == ProcessState.Healthy));
            await Eventually.TrueAsync(async () => (await StatusAsync())?.StoresBehind.Count == 0);
        }

        await galaxy.Host.StopAsync("redis");
        await galaxy.Host.StopAsync("redis-2");
        await Eventually.TrueAsync(async () => await galaxy.ClusterAsync() is { Leader: null, Nodes.Count: 3 });
        using (var refused = await galaxy.Http.PostAsJsonAsync("/api/v1/tasks", new { action = "nobody-can" }))
            Assert.Equal(
                (HttpStatusCode.ServiceUnavailable, true),
                (refused.StatusCode, refused.Headers.RetryAfter is not null)
            );
        // Available data stays readable and writable.
        using (var changed = await galaxy.Http.GetAsync("/api/v1/devices"))
            Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        galaxy.Host.Start("redis-2");
        await Eventually.NotNullAsync(async () => (await galaxy.ClusterAsync())?.Leader);
        await galaxy.SubmitAsync(new { action = "nobody-can" });
        using (var answer = await galaxy.Http.GetAsync("/api/v1/tasks/" + first))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        galaxy.Host.Start("redis");
    }

    // One of three may go when all three obey the leader. At a start two candidates may meet, and one store have
    // promised itself to the one that lost: it stays behind (stores_behind says so) until there is a later token.
    private async Task<LeaderResponse> LeaderOfAllAsync()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var leader = await galaxy.LeaderAsync();
            var began = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5))
            {
                if ((await Task.WhenAll(Stores.Select(TokenAsync))).All(token => token == leader.Token))
                    return leader;
                await Task.Delay(100);
            }
            using var moved = await galaxy.Http.PostAsJsonAsync("/api/v1/failover", new { });
        }
        Assert.Fail("No leader has the lease in all stores.");
        return null!;
    }

    private async Task<long> TokenAsync(string store)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions { EndPoints = { { "127.0.0.1", galaxy.Host.Url(store, "tcp").Port } } }
        );
        return (long?)await redis.GetDatabase().HashGetAsync("{galaxy:galaxy}:lease", "token") ?? 0;
    }

    private Task<FailoverStatus?> StatusAsync() => galaxy.LeaderStatusAsync();
}

[Collection("system")]
public sealed class FlushedStoreTests(GalaxyOnRedisServer galaxy) : IClassFixture<GalaxyOnRedisServer>
{
    [Fact]
    public async Task After_FLUSHALL_under_a_live_cluster_tokens_still_only_grow()
    {
        var seen = new List<long> { (await galaxy.LeaderAsync()).Token };
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions
            {
                EndPoints = { { "127.0.0.1", galaxy.Host.Url("redis", "tcp").Port } },
                AllowAdmin = true,
            }
        );
        for (var i = 0; i < 3; i++)
        {
            await redis.GetServers()[0].FlushAllDatabasesAsync();
            var last = seen[^1];
            // Whichever other token is seen next: a lower one is what must not be, and is not waited past.
            seen.Add(
                (
                    await Eventually.NotNullAsync(async () =>
                        (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token != last ? leader : null
                    )
                )!.Token
            );
            await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } });
        }
        Assert.Equal(seen.Order().Distinct(), seen);
    }
}
