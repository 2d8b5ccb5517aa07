using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tests.Stores;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Election;

/// <summary>The lease and exclusive data on three real stores, of which one may always be missing.</summary>
public sealed class QuorumTests(ThreeStores three) : IClassFixture<ThreeStores>
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private readonly string _cluster = "q" + Guid.NewGuid().ToString("N")[..8];

    private FencedCommand Set(string key, string value) => new("SET", new StoreKeys(_cluster)[key], value);

    private async Task<string?> GetAsync(IConnectionMultiplexer store, string key) =>
        await store.GetDatabase().StringGetAsync(new StoreKeys(_cluster)[key]);

    [Fact]
    public async Task A_lease_needs_a_majority_and_only_one_candidate_gets_it()
    {
        var stores = await three.ConnectAsync();
        var nodes = Enumerable.Range(0, 5).Select(_ => ThreeStores.Lease(stores, _cluster)).ToList();
        await ThreeStores.AcquiredAsync(nodes[0], "first");
        await Eventually.TrueAsync(async () => (await nodes[0].ReadAsync(ThreeStores.Ttl, 0)).Lease is null);

        List<LeaseRecord> granted = [];
        // Votes may be split, and then nobody has it: they stand again.
        await Eventually.TrueAsync(async () =>
        {
            granted.AddRange((await StandAsync()).OfType<LeaseRecord>());
            return granted.Count > 0;
        });

        var leader = Assert.Single(granted);
        Assert.All(await StandAsync(), Assert.Null);
        foreach (var node in nodes)
            Assert.Equal(
                (leader.Holder, leader.Boot, leader.Token),
                (await node.ReadAsync(Long, 0)).Lease is { } lease ? (lease.Holder, lease.Boot, lease.Token) : default
            );
        var held = await Task.WhenAll(
            stores.All.Select(async store =>
                (string?)await store.GetDatabase().HashGetAsync(new StoreKeys(_cluster)["lease"], "boot")
            )
        );
        Assert.InRange(held.Count(boot => boot == leader.Boot), 2, 3);

        async Task<LeaseRecord?[]> StandAsync() =>
            [
                .. (
                    await Task.WhenAll(
                        nodes.Select(
                            (node, i) =>
                                node.AcquireAsync(
                                    new LeaseRecord("n" + i, "boot-" + i, 0, "", "", 1),
                                    null,
                                    0,
                                    Long,
                                    () => { }
                                )
                        )
                    )
                ).Select(one => one.Lease),
            ];
    }

    [Fact]
    public async Task One_store_may_be_missing_for_the_lease_and_for_writes_and_is_repaired_when_it_returns()
    {
        var stores = await three.ConnectAsync();
        var lease = ThreeStores.Lease(stores, _cluster);
        var fenced = ThreeStores.Fenced(stores, _cluster);
        var leader = await ThreeStores.AcquiredAsync(lease, "a", ttl: Long);
        await fenced.BeginAsync(leader.Token);
        Assert.Equal(WriteAnswer.Done, await fenced.WriteAsync(leader.Token, [Set("before", "1")]));

        // What OneApi counts is in the first store only, and is no business of the repair.
        await stores.All[0].GetDatabase().HashSetAsync(new StoreKeys(_cluster)["oneapi:keys"], "id", "a key");
        await Galaxy.ServiceDefaults.Store.StoreCommit.AfterWriteAsync(stores.All[0].GetDatabase());

        await three.Stores[0].KillAsync();
        Assert.Equal(
            WriteAnswer.Done,
            await fenced.WriteAsync(
                leader.Token,
                [Set("during", "2"), new FencedCommand("LPUSH", new StoreKeys(_cluster)["list"], "x")]
            )
        );
        Assert.True(await lease.RenewAsync(leader, Long));
        Assert.Equal("2", await fenced.Reader.StringGetAsync(new StoreKeys(_cluster)["during"]));
        await Eventually.TrueAsync(() => Task.FromResult(fenced.Behind is [0]));

        await three.Stores[0].StartAsync();
        await Eventually.TrueAsync(async () =>
        {
            await fenced.RepairAsync(0);
            return fenced.Behind.Count == 0;
        });
        Assert.Equal(("1", "2"), (await GetAsync(stores.All[0], "before"), await GetAsync(stores.All[0], "during")));
        Assert.Equal(
            "a key",
            (string?)await stores.All[0].GetDatabase().HashGetAsync(new StoreKeys(_cluster)["oneapi:keys"], "id")
        );
        Assert.Equal(WriteAnswer.Done, await fenced.WriteAsync(leader.Token, [Set("after", "3")]));
        await Eventually.TrueAsync(async () => await GetAsync(stores.All[0], "after") == "3");
    }

    [Fact]
    public async Task A_new_leader_begins_with_everything_that_was_acknowledged()
    {
        var stores = await three.ConnectAsync();
        var lease = ThreeStores.Lease(stores, _cluster);
        var (old, next) = (ThreeStores.Fenced(stores, _cluster), ThreeStores.Fenced(stores, _cluster));
        var first = await ThreeStores.AcquiredAsync(lease, "a", ttl: Long);
        await old.BeginAsync(first.Token);
        // Only two stores have it; then one of these goes and the one that lacks it is back.
        await three.Stores[2].KillAsync();
        Assert.Equal(WriteAnswer.Done, await old.WriteAsync(first.Token, [Set("k", "acknowledged")]));
        await three.Stores[2].StartAsync();
        await three.Stores[0].KillAsync();
        try
        {
            await Eventually.TrueAsync(() => Task.FromResult(stores.All[2].IsConnected && !stores.All[0].IsConnected));
            await Eventually.TrueAsync(async () =>
                await lease.ReleaseAsync(
                    first.Boot,
                    first.Token,
                    new LeaseRelease("b", "a", "manual", ""),
                    TimeSpan.FromSeconds(30)
                )
            );

            var second = await ThreeStores.AcquiredAsync(ThreeStores.Lease(stores, _cluster), "b", first.Token, Long);
            await next.BeginAsync(second.Token);

            Assert.Equal("acknowledged", await GetAsync(stores.All[2], "k"));
            Assert.Equal(WriteAnswer.Done, await next.WriteAsync(second.Token, [Set("k", "newer")]));
            // The old one's writes count no more, though it does not know yet.
            Assert.NotEqual(WriteAnswer.Done, await old.WriteAsync(first.Token, [Set("k", "stale")]));
            Assert.Equal("newer", await GetAsync(stores.All[1], "k"));
        }
        finally
        {
            await three.Stores[0].StartAsync();
        }
    }

    [Fact]
    public async Task With_two_of_three_missing_nothing_is_granted_or_written()
    {
        var stores = await three.ConnectAsync();
        var lease = ThreeStores.Lease(stores, _cluster);
        var fenced = ThreeStores.Fenced(stores, _cluster);
        var leader = await ThreeStores.AcquiredAsync(lease, "a", ttl: Long);
        await fenced.BeginAsync(leader.Token);
        await three.Stores[0].KillAsync();
        await three.Stores[1].KillAsync();
        try
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => lease.RenewAsync(leader, Long));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => lease.ReadAsync(ThreeStores.Ttl, 0));
            await Assert.ThrowsAsync<StoreUnavailableException>(() =>
                fenced.WriteAsync(leader.Token, [Set("k", "lost")])
            );
        }
        finally
        {
            await three.Stores[0].StartAsync();
            await three.Stores[1].StartAsync();
        }
        await Eventually.TrueAsync(() => Task.FromResult(stores.All.All(store => store.IsConnected)));
        Assert.True(await lease.RenewAsync(leader, Long));
    }

    [Fact]
    public async Task A_store_that_restarts_empty_grants_nothing_for_the_length_of_a_lease()
    {
        var stores = await three.ConnectAsync();
        var lease = ThreeStores.Lease(stores, _cluster);
        var leader = await ThreeStores.AcquiredAsync(lease, "a", ttl: Long);
        await stores.All[0].GetServers()[0].FlushDatabaseAsync();

        var only = new RedisStores([stores.All[0]]);
        var answer = (RedisResult[])
            (
                await only.All[0]
                    .GetDatabase()
                    .ScriptEvaluateAsync(
                        LeaseScripts.Acquire,
                        [
                            .. new[] { "lease", "token", "accepted", "released", "born", "silent" }.Select(name =>
                                (RedisKey)new StoreKeys(_cluster)[name]
                            ),
                        ],
                        ["b", "boot-b", "", "", 1000, 0, 1, "events", 3, 99, "", ""]
                    )
            )!;
        Assert.Equal(0, (int)answer[0]);

        // The holder's renewal is taken in all the same: it has a majority elsewhere.
        Assert.True(await lease.RenewAsync(leader, Long));
        await Eventually.TrueAsync(async () =>
            await stores.All[0].GetDatabase().HashGetAsync(new StoreKeys(_cluster)["lease"], "boot") == leader.Boot
        );
    }
}
