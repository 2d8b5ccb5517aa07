using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Tests.Stores;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Election;

public sealed class LeaseStoreOnGarnetTests(GarnetStore store) : LeaseStoreTests(store), IClassFixture<GarnetStore>;

public sealed class LeaseStoreOnRedisServerTests(RedisServerStore store) : LeaseStoreTests(store), IClassFixture<RedisServerStore>;

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

    private LeaseStore Node(string id) => new(_redis, new NodeOptions { NodeId = id, Cluster = _cluster });

    private static async Task<long> AcquireAsync(LeaseStore node, string boot, long minToken = 0, TimeSpan? ttl = null) =>
        (await node.AcquireAsync(boot, "http://" + boot, "", minToken, ttl ?? Ttl, 1))?.Token ?? 0;

    private static FencedCommand Set(LeaseStore node, string key, string value) => new("SET", node.Key(key), value);

    private async Task<string?> GetAsync(LeaseStore node, string key) => await _redis.GetDatabase().StringGetAsync(node.Key(key));

    [Fact]
    public async Task The_lease_is_given_to_one_node_only()
    {
        Assert.Equal(1, await AcquireAsync(Node("a"), "boot-a"));
        Assert.Equal(0, await AcquireAsync(Node("b"), "boot-b"));

        var lease = (await Node("b").ReadAsync()).Lease!;
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
        await a.ReleaseAsync("boot-a", first, null, "resigned", "");

        Assert.True(await AcquireAsync(b, "boot-b") > first);
    }

    [Fact]
    public async Task A_token_is_above_every_one_that_the_candidate_has_heard_of() =>
        Assert.Equal(43, await AcquireAsync(Node("a"), "boot-a", minToken: 42));

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

        Assert.True(await a.RenewAsync("boot-a", token, Ttl));
        Assert.False(await a.RenewAsync("boot-of-a-later-process", token, Ttl));
        Assert.False(await a.RenewAsync("boot-a", token + 1, Ttl));
    }

    [Fact]
    public async Task A_named_successor_is_the_only_one_who_gets_a_released_lease()
    {
        var (a, b, c) = (Node("a"), Node("b"), Node("c"));
        var token = await AcquireAsync(a, "boot-a");
        Assert.True(await a.ReleaseAsync("boot-a", token, "c", "manual", "trace"));

        Assert.Equal(("c", "a", "manual", "trace"), (await b.ReadAsync()).Release is { } r ? (r.Successor, r.From, r.Reason, r.TraceParent) : default);
        Assert.Equal(0, await AcquireAsync(b, "boot-b"));
        Assert.Equal(2, await AcquireAsync(c, "boot-c"));
    }

    [Fact]
    public async Task A_former_leader_cannot_write_once_there_is_a_new_one()
    {
        var (a, b) = (Node("a"), Node("b"));
        var old = await AcquireAsync(a, "boot-a");
        Assert.True(await a.WriteAsync(old, [Set(a, "k", "by a")]));
        await a.ReleaseAsync("boot-a", old, null, "resigned", "");
        await AcquireAsync(b, "boot-b");

        // Even before the new leader has written anything.
        Assert.False(await a.WriteAsync(old, [Set(a, "k", "too late")]));
        Assert.Equal("by a", await GetAsync(a, "k"));
    }

    [Fact]
    public async Task A_refused_write_changes_nothing_at_all()
    {
        var a = Node("a");
        Assert.True(await a.WriteAsync(9, [Set(a, "one", "1")]));

        Assert.False(await a.WriteAsync(8, [Set(a, "one", "2"), Set(a, "two", "2"), new FencedCommand("ZADD", a.Key("z"), "1", "m")]));

        Assert.Equal(("1", null), (await GetAsync(a, "one"), await GetAsync(a, "two")));
        Assert.False(await _redis.GetDatabase().KeyExistsAsync(a.Key("z")));
    }

    [Fact]
    public async Task A_write_with_several_commands_happens_as_one()
    {
        var a = Node("a");

        Assert.True(await a.WriteAsync(1,
            [Set(a, "task", "{}"), new FencedCommand("ZADD", a.Key("open"), "5", "t"), new FencedCommand("LPUSH", a.Key("log"), "entry"), new FencedCommand("ZREM", a.Key("open"), "t")]));

        var db = _redis.GetDatabase();
        Assert.Equal(("{}", 0, 1), (await GetAsync(a, "task"), await db.SortedSetLengthAsync(a.Key("open")), await db.ListLengthAsync(a.Key("log"))));
    }

    [Fact]
    public async Task Tokens_stay_exact_far_beyond_32_bits()
    {
        const long large = 9_007_199_254_740_000;

        Assert.Equal(large + 1, await AcquireAsync(Node("a"), "boot-a", minToken: large));
    }

    [Fact]
    public async Task Clusters_that_share_a_store_do_not_see_each_other()
    {
        await AcquireAsync(Node("a"), "boot-a");

        var other = new LeaseStore(_redis, new NodeOptions { NodeId = "a", Cluster = _cluster + "x" });
        Assert.Null((await other.ReadAsync()).Lease);
    }

    [Fact]
    public async Task Racing_leaders_never_overwrite_a_newer_ones_value()
    {
        // Twenty leaders, each with a later token, write at random; the value must always carry the highest accepted token.
        var node = Node("a");
        var accepted = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(1, 20).Select(token => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                if (await node.WriteAsync(token, [Set(node, "k", token.ToString(System.Globalization.CultureInfo.InvariantCulture))]))
                    accepted.Add(token);
            }
        })));

        Assert.Equal("20", await GetAsync(node, "k"));
        Assert.Contains(20, accepted);
        Assert.False(await node.WriteAsync(19, [Set(node, "k", "19")]));
    }
}
