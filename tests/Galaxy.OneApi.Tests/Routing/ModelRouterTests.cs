using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.OneApi.Tests.Routing;

/// <summary>From a name to those who are asked, in the order in which they are.</summary>
public sealed class ModelRouterTests : IAsyncLifetime
{
    private OneApiServer _server = null!;

    private ModelRouter Router => _server.Services.GetRequiredService<ModelRouter>();

    private TargetStats Stats => _server.Services.GetRequiredService<TargetStats>();

    public async ValueTask InitializeAsync()
    {
        List<(string, string?)> settings = [];
        foreach (var name in new[] { "a", "b", "c" })
            settings.AddRange([
                ($"OneApi:Providers:{name}:BaseUrl", "http://127.0.0.1:9/v1"),
                ($"OneApi:Providers:{name}:Models:0", "m"),
                ($"OneApi:Providers:{name}:Models:1", "only-" + name),
            ]);
        void Route(int i, string name, string strategy, params (string Model, string Weight, string Priority)[] members)
        {
            settings.AddRange([
                ($"OneApi:Models:Routes:{i}:Name", name),
                ($"OneApi:Models:Routes:{i}:Strategy", strategy),
            ]);
            for (var j = 0; j < members.Length; j++)
                settings.AddRange([
                    ($"OneApi:Models:Routes:{i}:Targets:{j}:Model", members[j].Model),
                    ($"OneApi:Models:Routes:{i}:Targets:{j}:Weight", members[j].Weight),
                    ($"OneApi:Models:Routes:{i}:Targets:{j}:Priority", members[j].Priority),
                ]);
        }
        var all = new[] { ("a/m", "1", "1"), ("b/m", "3", "1"), ("c/m", "0", "1") };
        Route(0, "in-order", "order", ("c/m", "1", "2"), ("b/m", "1", "1"), ("a/m", "1", "1"));
        Route(1, "by-weight", "weighted", all);
        Route(2, "quick", "latency", all);
        Route(3, "cheap", "cost", all);
        Route(4, "calm", "least_busy", all);
        Route(5, "faithful", "sticky", all);
        settings.AddRange([
            ("OneApi:Models:Routes:0:Fallbacks:0", "galaxy/echo"),
            ("OneApi:Models:Prices:0:Model", "b/*"),
            ("OneApi:Models:Prices:0:Input", "1"),
            ("OneApi:Models:Prices:0:Output", "1"),
            ("OneApi:Models:Prices:1:Model", "*/m"),
            ("OneApi:Models:Prices:1:Input", "5"),
            ("OneApi:Models:Prices:1:Output", "5"),
        ]);
        _server = await OneApiServer.StartAsync([.. settings]);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<List<string>> PlanAsync(string name, string? user = null) =>
        [.. (await Router.PlanAsync(name, user, CancellationToken.None)).Targets.Select(target => target.Id)];

    [Fact]
    public async Task Priorities_come_first_then_the_order_then_fallbacks() =>
        Assert.Equal(["b/m", "a/m", "c/m", "galaxy/echo"], await PlanAsync("in-order"));

    [Fact]
    public async Task Weights_are_shares_and_none_is_left_out()
    {
        var first = new Dictionary<string, int>();
        for (var i = 0; i < 2000; i++)
        {
            var plan = await PlanAsync("by-weight");
            Assert.Equal(3, plan.Count);
            Assert.Equal("c/m", plan[2]);
            first[plan[0]] = first.GetValueOrDefault(plan[0]) + 1;
        }
        Assert.InRange(first["b/m"], 1380, 1620);
    }

    [Fact]
    public async Task The_quickest_is_asked_first_and_one_that_nobody_knows_gets_a_chance()
    {
        Stats.Answered("a/m", 300);
        Stats.Answered("b/m", 20);
        Assert.Equal(["c/m", "b/m", "a/m"], await PlanAsync("quick"));
        Stats.Answered("c/m", 1000);
        Assert.Equal(["b/m", "a/m", "c/m"], await PlanAsync("quick"));
    }

    [Fact]
    public async Task The_cheapest_is_the_one_of_the_price_table() =>
        Assert.Equal("b/m", (await PlanAsync("cheap"))[0]);

    [Fact]
    public async Task The_least_busy_is_the_one_with_the_fewest_requests_under_way()
    {
        Stats.Begin("a/m");
        Stats.Begin("a/m");
        Stats.Begin("b/m");
        Assert.Equal(["c/m", "b/m", "a/m"], await PlanAsync("calm"));
    }

    [Fact]
    public async Task A_user_stays_with_one_target_and_users_are_spread()
    {
        var firsts = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            var plan = await PlanAsync("faithful", "user-" + i);
            Assert.Equal(plan, await PlanAsync("faithful", "user-" + i));
            firsts.Add(plan[0]);
        }
        Assert.Equal(3, firsts.Count);
    }

    [Fact]
    public async Task Who_failed_three_times_in_a_row_is_asked_last_until_he_answers()
    {
        for (var i = 0; i < 3; i++)
            Stats.Failed("b/m");
        Assert.Equal(["a/m", "c/m", "galaxy/echo", "b/m"], await PlanAsync("in-order"));
        Stats.Answered("b/m", 1);
        Assert.Equal("b/m", (await PlanAsync("in-order"))[0]);
    }

    [Fact]
    public async Task Names_are_resolved()
    {
        Assert.Equal(["b/anything"], await PlanAsync("b/anything"));
        Assert.Equal(["c/only-c"], await PlanAsync("only-c"));
        Assert.Equal(["galaxy/echo"], await PlanAsync("galaxy/echo"));
        Assert.Equal("galaxy/echo", (await PlanAsync("auto"))[^1]);
        await Assert.ThrowsAsync<UnknownModelException>(() => PlanAsync("nobody/has-this"));
    }

    [Fact]
    public void A_key_rests_longer_with_each_failure_and_comes_back()
    {
        var time = new FakeTimeProvider();
        var keys = new KeyRing(time);
        var provider = new Provider("p", new Uri("http://h/v1"), "openai") { Keys = ["one", "two"] };
        Assert.Equal(2, new[] { keys.Take(provider).Key, keys.Take(provider).Key }.Distinct().Count());

        keys.Cool(provider, "one", null, isRefused: false);
        Assert.All(Enumerable.Range(0, 4), _ => Assert.Equal("two", keys.Take(provider).Key));
        keys.Cool(provider, "two", TimeSpan.FromSeconds(30), isRefused: false);
        Assert.Equal((null, TimeSpan.FromSeconds(1), false), keys.Take(provider));
        time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("one", keys.Take(provider).Key);
        keys.Cool(provider, "one", null, isRefused: true);
        Assert.Equal(TimeSpan.FromSeconds(2), keys.Take(provider).Wait);
        keys.Succeeded(provider, "two");
        Assert.Equal("two", keys.Take(provider).Key);
    }
}
