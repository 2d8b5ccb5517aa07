using Galaxy.Core.Routing;
using Galaxy.Router.Routing;
using Galaxy.Router.Tests.Lab;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Router.Tests.Routing;

public sealed class RouterTableTests
{
    private static readonly RouteQuery Echo = new("echo");

    private static void Fail(RouterTable table, string id, int times = 5)
    {
        for (var i = 0; i < times; i++)
            table.Tell("echo", table.State(id)!, failed: true);
    }

    [Fact]
    public async Task Who_fails_five_times_gets_nothing_until_a_trial_ten_seconds_later_succeeds()
    {
        await using var router = await OneRouter.StartAsync(
            OneService.At("idle", "http://idle"),
            OneService.At("full", "http://full", load: 0.9)
        );
        var table = router.Table;
        Assert.Equal("idle", table.Choose(Echo).Target?.Id);

        Fail(table, "idle");
        Assert.Equal("full", table.Choose(Echo with { WillTell = true }).Target?.Id);
        router.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("full", table.Choose(Echo with { WillTell = true }).Target?.Id);
        router.Time.Advance(TimeSpan.FromSeconds(1));
        // Who does not tell what came of it may not try.
        Assert.Equal("full", table.Choose(Echo).Target?.Id);
        // The table in which it may is made when its time has come.
        await router.UntilAsync(_ => table.Choose(Echo with { WillTell = true }).Target?.Id == "idle");
        table.Tell("echo", table.State("idle")!, failed: false);
        router.Time.Advance(TimeSpan.FromSeconds(30));
        await router.UntilAsync(_ => table.Choose(Echo).Target?.Id == "idle");
    }

    [Fact]
    public async Task No_more_than_half_of_those_that_offer_the_same_are_ejected()
    {
        await using var router = await OneRouter.StartAsync(
            OneService.At("a", "http://a"),
            OneService.At("b", "http://b"),
            OneService.At("c", "http://c")
        );
        foreach (var id in (string[])["a", "b", "c"])
            Fail(router.Table, id, times: 50);

        Assert.Equal(
            [BreakerState.Open, BreakerState.Closed, BreakerState.Closed],
            new[] { "a", "b", "c" }.Select(id => router.Table.State(id)!.Breaker.StateAt(router.Table.Now))
        );
    }

    [Fact]
    public async Task What_was_learnt_of_a_target_is_kept_for_ten_minutes_after_it_has_gone()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("a", "http://a"));
        Fail(router.Table, "a");
        var learnt = router.Table.State("a");

        await router.SayAsync(_ => { }, table => !table.ById.ContainsKey("a"));
        router.Time.Advance(TimeSpan.FromMinutes(9));
        await router.SayAsync(
            snapshot => snapshot.Services.Add(OneService.At("a", "http://a")),
            table => table.ById.ContainsKey("a")
        );
        Assert.Same(learnt, router.Table.State("a"));

        await router.SayAsync(_ => { }, table => !table.ById.ContainsKey("a"));
        router.Time.Advance(TimeSpan.FromMinutes(11));
        await router.UntilAsync(_ => router.Table.State("a") is null);
    }

    [Fact]
    public async Task A_changed_rule_is_in_the_next_table()
    {
        await using var router = await OneRouter.StartAsync(
            OneService.At("idle", "http://idle"),
            OneService.At("full", "http://full", load: 0.9)
        );
        var configuration = (IConfigurationRoot)router.Get<IConfiguration>();
        configuration["Router:Rules:0:Match:Capability"] = "echo";
        configuration["Router:Rules:0:Targets:0"] = "full";

        var next = router.Table.NextTable;
        configuration.Reload();
        await next.WaitAsync(OneRouter.Patience);

        Assert.Equal("full", router.Table.Choose(Echo).Target?.Id);
    }
}
