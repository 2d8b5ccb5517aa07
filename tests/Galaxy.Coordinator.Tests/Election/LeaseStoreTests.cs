using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tests.Stores;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Election;

public sealed class LeaseStoreOnGarnetTests(GarnetStore store) : LeaseStoreTests(store), IClassFixture<GarnetStore>;

public sealed class LeaseStoreOnRedisServerTests(RedisServerStore store)
    : LeaseStoreTests(store),
        IClassFixture<RedisServerStore>;

/// <summary>What the lease promises, on a real store.</summary>
public abstract class LeaseStoreTests(RealStore store) : IAsyncLifetime
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    private readonly string _cluster = "c" + Guid.NewGuid().ToString("N")[..8];
    private IConnectionMultiplexer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await store.ConnectAsync();

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
            await _redis.DisposeAsync();
    }

    private LeaseStore Node(string id) =>
        new(new RedisStores([_redis]), new NodeOptions { NodeId = id, Cluster = _cluster });

    // A store that never gave a lease out takes no writes.
    private async Task BornAsync() =>
        await ReleaseAsync(Node("first"), "boot-first", await AcquireAsync(Node("first"), "boot-first"));

    private StoreKeys Keys => new(_cluster);

    private static LeaseRecord Lease(string boot, long token = 0) =>
        new(boot.Replace("boot-", "", StringComparison.Ordinal), boot, token, "http://" + boot, "", 1);

    private static async Task<long> AcquireAsync(
        LeaseStore node,
        string boot,
        long minToken = 0,
        TimeSpan? ttl = null,
        LeaseRecord? from = null
    ) => (await node.AcquireAsync(Lease(boot), from, minToken, ttl ?? Ttl, () => { })).Lease?.Token ?? 0;

    private static Task<bool> ReleaseAsync(
        LeaseStore node,
        string boot,
        long token,
        string successor = "",
        string reason = "resigned",
        string trace = ""
    ) =>
        node.ReleaseAsync(
            boot,
            token,
            new LeaseRelease(successor, boot.Replace("boot-", "", StringComparison.Ordinal), reason, trace),
            TimeSpan.FromSeconds(2)
        );

    private async Task<bool> WriteAsync(long token, params FencedCommand[] commands) =>
        await FencedScript.RunAsync(_redis.GetDatabase(), Keys, token, "", "", commands) == StoreAnswer.Done;

    private FencedCommand Set(string key, string value) => new("SET", Keys[key], value);

    private async Task<string?> GetAsync(string key) => await _redis.GetDatabase().StringGetAsync(Keys[key]);

    [Fact]
    public async Task The_lease_is_given_to_one_node_only()
    {
        Assert.Equal(1, await AcquireAsync(Node("a"), "boot-a"));
        Assert.Equal(0, await AcquireAsync(Node("b"), "boot-b"));

        var lease = (await Node("b").ReadAsync(TimeSpan.FromSeconds(30), 0)).Lease!;
        Assert.Equal(("a", "boot-a", 1, "http://boot-a"), (lease.Holder, lease.Boot, lease.Token, lease.Url));
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_gets_it()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AcquireAsync(Node("n" + i), "boot-" + i)));

        Assert.Equal(1, tokens.Count(token => token > 0));
    }

    [Fact]
    public async Task Each_leader_gets_a_higher_token()
    {
        var (a, b) = (Node("a"), Node("b"));
        var first = await AcquireAsync(a, "boot-a");
        await ReleaseAsync(a, "boot-a", first);

        Assert.True(await AcquireAsync(b, "boot-b") > first);
    }

    [Fact]
    public async Task A_token_is_above_every_one_that_the_candidate_has_heard_of()
    {
        await BornAsync();
        Assert.Equal(43, await AcquireAsync(Node("a"), "boot-a", minToken: 42));
    }

    [Fact]
    public async Task An_empty_store_leaps_over_tokens_that_it_may_have_issued_and_forgotten()
    {
        // Not at once: the leap must be on its disk.
        Assert.Equal(0, await AcquireAsync(Node("a"), "boot-a", minToken: 42));

        await Eventually.TrueAsync(async () =>
            await AcquireAsync(Node("a"), "boot-a", minToken: 42) == 42 + LeaseRegister.EmptyLeap + 1
        );
    }

    [Fact]
    public async Task A_lease_is_seized_only_from_the_process_and_token_that_were_seen()
    {
        var token = await AcquireAsync(Node("a"), "boot-a");

        Assert.Equal(0, await AcquireAsync(Node("b"), "boot-b", from: Lease("boot-a", token + 1)));
        Assert.Equal(0, await AcquireAsync(Node("b"), "boot-b", from: Lease("boot-of-an-earlier-process", token)));
        Assert.Equal(token + 1, await AcquireAsync(Node("b"), "boot-b", from: Lease("boot-a", token)));
        Assert.False(await Node("a").RenewAsync(Lease("boot-a", token), Ttl));
        Assert.False(await WriteAsync(token, Set("k", "from the grave")));
    }

    [Fact]
    public async Task After_FLUSHALL_tokens_still_only_grow_and_the_old_leaders_writes_are_refused()
    {
        var token = await AcquireAsync(Node("a"), "boot-a");
        // Everything of this cluster; other tests share the store.
        await _redis
            .GetDatabase()
            .KeyDeleteAsync([
                .. new[] { "lease", "token", "accepted", "released", "born", "silent" }.Select(name =>
                    (RedisKey)Keys[name]
                ),
            ]);

        Assert.False(await WriteAsync(token, Set("k", "into the void")));
        Assert.False(await Node("a").RenewAsync(Lease("boot-a", token), Ttl));
        long next = 0;
        await Eventually.TrueAsync(async () => (next = await AcquireAsync(Node("b"), "boot-b", minToken: token)) > 0);
        Assert.True(next > token);
        Assert.False(await WriteAsync(token, Set("k", "too late")));
    }

    [Fact]
    public async Task A_lease_that_is_not_renewed_runs_out()
    {
        await AcquireAsync(Node("a"), "boot-a", ttl: TimeSpan.FromMilliseconds(200));

        await Eventually.TrueAsync(async () => await AcquireAsync(Node("b"), "boot-b") == 2);
    }

    [Fact]
    public async Task Only_the_holder_renews_and_only_under_its_token()
    {
        var a = Node("a");
        var token = await AcquireAsync(a, "boot-a");

        Assert.True(await a.RenewAsync(Lease("boot-a", token), Ttl));
        Assert.False(await a.RenewAsync(Lease("boot-of-a-later-process", token), Ttl));
        Assert.False(await a.RenewAsync(Lease("boot-a", token + 1), Ttl));
    }

    [Fact]
    public async Task A_named_successor_is_the_only_one_who_gets_a_released_lease()
    {
        var (a, b, c) = (Node("a"), Node("b"), Node("c"));
        var token = await AcquireAsync(a, "boot-a");
        Assert.True(await ReleaseAsync(a, "boot-a", token, "c", "manual", "trace"));

        Assert.Equal(
            ("c", "a", "manual", "trace"),
            (await b.ReadAsync(TimeSpan.FromSeconds(30), 0)).Release is { } r
                ? (r.Successor, r.From, r.Reason, r.TraceParent)
                : default
        );
        Assert.Equal(0, await AcquireAsync(b, "boot-b"));
        Assert.Equal(2, await AcquireAsync(c, "boot-c"));
    }

    [Fact]
    public async Task A_former_leader_cannot_write_once_there_is_a_new_one()
    {
        var (a, b) = (Node("a"), Node("b"));
        var old = await AcquireAsync(a, "boot-a");
        Assert.True(await WriteAsync(old, [Set("k", "by a")]));
        await ReleaseAsync(a, "boot-a", old);
        await AcquireAsync(b, "boot-b");

        // Even before the new leader has written anything.
        Assert.False(await WriteAsync(old, [Set("k", "too late")]));
        Assert.Equal("by a", await GetAsync("k"));
    }

    [Fact]
    public async Task A_refused_write_changes_nothing_at_all()
    {
        await BornAsync();
        Assert.True(await WriteAsync(9, [Set("one", "1")]));

        Assert.False(
            await WriteAsync(8, [Set("one", "2"), Set("two", "2"), new FencedCommand("ZADD", Keys["z"], "1", "m")])
        );

        Assert.Equal(("1", null), (await GetAsync("one"), await GetAsync("two")));
        Assert.False(await _redis.GetDatabase().KeyExistsAsync(Keys["z"]));
    }

    [Fact]
    public async Task A_write_with_several_commands_happens_as_one()
    {
        await BornAsync();

        Assert.True(
            await WriteAsync(
                1,
                [
                    Set("task", "{}"),
                    new FencedCommand("ZADD", Keys["open"], "5", "t"),
                    new FencedCommand("LPUSH", Keys["log"], "entry"),
                    new FencedCommand("ZREM", Keys["open"], "t"),
                ]
            )
        );

        var db = _redis.GetDatabase();
        Assert.Equal(
            ("{}", 0, 1),
            (await GetAsync("task"), await db.SortedSetLengthAsync(Keys["open"]), await db.ListLengthAsync(Keys["log"]))
        );
    }

    [Fact]
    public async Task Tokens_stay_exact_far_beyond_32_bits()
    {
        const long large = 9_007_199_254_740_000;
        await BornAsync();

        Assert.Equal(large + 1, await AcquireAsync(Node("a"), "boot-a", minToken: large));
    }

    [Fact]
    public async Task Clusters_that_share_a_store_do_not_see_each_other()
    {
        await AcquireAsync(Node("a"), "boot-a");

        var other = new LeaseStore(
            new RedisStores([_redis]),
            new NodeOptions { NodeId = "a", Cluster = _cluster + "x" }
        );
        Assert.Null((await other.ReadAsync(TimeSpan.FromSeconds(30), 0)).Lease);
    }

    [Fact]
    public async Task Racing_leaders_never_overwrite_a_newer_ones_value()
    {
        // Twenty leaders, each with a later token, write at random; the value must always carry the highest accepted
        // token.
        await BornAsync();
        var accepted = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Task.WhenAll(
            Enumerable
                .Range(1, 20)
                .Select(token =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 20; i++)
                        {
                            if (
                                await WriteAsync(
                                    token,
                                    [Set("k", token.ToString(System.Globalization.CultureInfo.InvariantCulture))]
                                )
                            )
                                accepted.Add(token);
                        }
                    })
                )
        );

        Assert.Equal("20", await GetAsync("k"));
        Assert.Contains(20, accepted);
        Assert.False(await WriteAsync(19, [Set("k", "19")]));
    }
}
