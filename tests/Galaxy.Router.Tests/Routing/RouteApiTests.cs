using System.Net;
using Galaxy.Contracts.Cluster;
using Galaxy.Router.Tests.Lab;

namespace Galaxy.Router.Tests.Routing;

public sealed class RouteApiTests
{
    [Fact]
    public async Task Nobody_who_offers_it_and_nobody_who_can_take_it_are_told_apart()
    {
        var ill = OneService.At("ill", "http://ill");
        ill.Status = "unhealthy";
        await using var router = await OneRouter.StartAsync(ill);

        var (unknown, offers) = await router.GetAsync("/route/fly");
        var (known, takers) = await router.GetAsync("/route/echo");

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (unknown, known));
        Assert.StartsWith("Nobody offers 'fly'.", (string?)offers!["detail"], StringComparison.Ordinal);
        Assert.StartsWith(
            "Nobody who offers 'echo' can take it now: ill: ",
            (string?)takers!["detail"],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Of_many_who_cannot_take_it_five_are_named_and_the_rest_counted()
    {
        await using var router = await OneRouter.StartAsync([
            .. Enumerable
                .Range(1, 7)
                .Select(number =>
                {
                    var ill = OneService.At($"ill-{number}", "http://ill");
                    ill.Status = "unhealthy";
                    return ill;
                }),
        ]);

        var (_, body) = await router.GetAsync("/route/echo");

        Assert.EndsWith("; and 2 more.", (string?)body!["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_explanation_names_who_was_chosen_and_why_others_were_not()
    {
        await using var router = await OneRouter.StartAsync(
            OneService.At("a", "http://a"),
            OneService.At("b", "http://b")
        );

        var (_, body) = await router.GetAsync("/route/echo?explain=true&exclude=a");

        Assert.Equal("b", (string?)body!["chosen"]!["id"]);
        Assert.Equal("a", (string?)body["excluded"]![0]!["id"]);
    }

    [Fact]
    public async Task A_layer_that_does_not_exist_is_a_mistake_of_who_asks()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("a", "http://a"));

        Assert.Equal(HttpStatusCode.BadRequest, (await router.GetAsync("/nodes?layer=cellar")).Status);
        Assert.Equal("a", (string?)(await router.GetAsync("/nodes?layer=tools")).Body!.AsArray().Single()!["id"]);
        Assert.Equal(HttpStatusCode.NotFound, (await router.GetAsync("/nodes/nobody")).Status);
    }

    [Fact]
    public async Task Without_a_leader_the_topology_has_no_links()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("a", "http://a"));
        Assert.Single((await router.GetAsync("/topology")).Body!["links"]!.AsArray());

        await router.SayAsync(
            snapshot =>
            {
                snapshot.Leader = new Leader();
                snapshot.Services.Add(OneService.At("b", "http://b"));
            },
            table => table.ById.ContainsKey("b")
        );

        Assert.Empty((await router.GetAsync("/topology")).Body!["links"]!.AsArray());
    }
}
