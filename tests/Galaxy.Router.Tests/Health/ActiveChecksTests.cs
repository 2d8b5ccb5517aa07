using Galaxy.Core.Routing;
using Galaxy.Router.Health;
using Galaxy.Router.Tests.Lab;

namespace Galaxy.Router.Tests.Health;

public sealed class ActiveChecksTests
{
    private static async Task<TargetStatus> CheckAsync(OneRouter router) =>
        (await router.Get<ActiveChecks>().CheckAllAsync(default)).Single(result => result.Id == "s").Status;

    [Fact]
    public async Task One_failure_makes_it_degraded_two_unhealthy_and_one_success_well()
    {
        var status = 503;
        await using var service = await OneService.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var router = await OneRouter.StartAsync(service.As("s"));

        Assert.Equal(TargetStatus.Degraded, await CheckAsync(router));
        Assert.NotNull(router.Table.Choose(new RouteQuery("echo")).Target);
        Assert.Equal(TargetStatus.Unhealthy, await CheckAsync(router));
        await router.UntilAsync(_ => router.Table.Choose(new RouteQuery("echo")).Target is null);

        status = 200;
        Assert.Equal(TargetStatus.Healthy, await CheckAsync(router));
        await router.UntilAsync(_ => router.Table.Choose(new RouteQuery("echo")).Target is not null);
    }

    [Theory]
    [InlineData(401, TargetStatus.Healthy)]
    [InlineData(404, TargetStatus.Healthy)]
    [InlineData(408, TargetStatus.Degraded)]
    [InlineData(500, TargetStatus.Degraded)]
    public async Task Who_answers_at_all_is_well_unless_it_says_otherwise(int answer, TargetStatus status)
    {
        await using var service = await OneService.StartAsync(answer);
        await using var router = await OneRouter.StartAsync(service.As("s"));

        Assert.Equal(status, await CheckAsync(router));
        Assert.Equal("/health", service.Asked.Single().Path);
    }

    [Fact]
    public async Task Failures_at_an_old_address_do_not_count_at_a_new_one()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("s", OneService.Nowhere()));
        await CheckAsync(router);
        Assert.Equal(TargetStatus.Unhealthy, await CheckAsync(router));

        var moved = OneService.Nowhere();
        await router.SayAsync(
            snapshot => snapshot.Services.Add(OneService.At("s", moved)),
            table => table.ById["s"].Url == moved
        );

        Assert.Equal(TargetStatus.Degraded, await CheckAsync(router));
    }

    [Fact]
    public async Task Who_is_ill_is_asked_again_after_five_seconds_and_not_before()
    {
        await using var service = await OneService.StartAsync(503);
        await using var router = await OneRouter.StartAsync(service.As("s"));
        var checks = router.Get<ActiveChecks>();
        await checks.StartAsync(default);
        await router.UntilAsync(_ => router.Table.State("s")!.Checked == TargetStatus.Degraded);

        router.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.Single(service.Asked);
        router.Time.Advance(TimeSpan.FromSeconds(1));
        await router.UntilAsync(_ => router.Table.State("s")!.Checked == TargetStatus.Unhealthy);

        Assert.Equal(2, service.Asked.Count);
        await checks.StopAsync(default);
    }

    [Fact]
    public async Task The_api_counts_who_is_well_and_takes_the_clusters_word_for_devices()
    {
        await using var ill = await OneService.StartAsync(500);
        await using var router = await OneRouter.StartAsync(ill.As("s"));
        router.Coordinator.Answer = _ => Task.CompletedTask;
        await router.SayAsync(
            snapshot =>
            {
                snapshot.Services.Add(ill.As("s"));
                snapshot.Devices.Add(new Contracts.Cluster.Device { DeviceId = "d", State = "online" });
            },
            table => table.ById.ContainsKey("d")
        );

        var (_, body) = await router.GetAsync("/health-check");

        Assert.Equal((2, 3), ((int)body!["healthy"]!, (int)body["total"]!));
        Assert.Null(body["nodes"]!.AsArray().Single(node => (string?)node!["id"] == "d")!["detail"]);
    }
}
