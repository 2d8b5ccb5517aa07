using System.Net;
using Galaxy.Contracts.Cluster;
using Galaxy.Router.Tests.Lab;
using Grpc.Core;

namespace Galaxy.Router.Tests.Registration;

public sealed class RegistrationApiTests
{
    private static object Request(string id) => new { node_id = id, url = "http://s:1" };

    [Fact]
    public async Task Nobody_takes_the_name_of_a_part_of_the_cluster_or_sends_it_away()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("gateway", "http://g", kind: "gateway"));
        await router.SayAsync(
            snapshot =>
            {
                snapshot.Services.Add(OneService.At("gateway", "http://g", kind: "gateway"));
                snapshot.Devices.Add(new Device { DeviceId = "lamp" });
            },
            table => table.ById.ContainsKey("lamp")
        );

        foreach (var id in (string[])["c1", "gateway", "lamp"])
        {
            Assert.Equal(HttpStatusCode.Conflict, (await router.PostAsync("/register", Request(id))).Status);
            using var left = await router.Http.DeleteAsync(new Uri($"/nodes/{id}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Conflict, left.StatusCode);
        }
    }

    [Fact]
    public async Task A_heartbeat_leaves_what_it_does_not_tell_as_it_was()
    {
        var known = OneService.At("s", "http://s", load: 0.25);
        known.Status = "degraded";
        await using var router = await OneRouter.StartAsync(known);
        var announced = new List<Service>();
        router.Coordinator.Announced = announced.Add;

        Assert.Equal(
            HttpStatusCode.OK,
            (await router.PostAsync("/heartbeat", new { node_id = "s", load = 0.75 })).Status
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await router.PostAsync("/heartbeat", new { node_id = "s", status = "healthy" })).Status
        );

        Assert.Equal([(0.75, "degraded"), (0.25, "healthy")], announced.Select(one => (one.Load, one.Status)));
        Assert.All(announced, one => Assert.Equal("echo", Assert.Single(one.Capabilities).Name));
    }

    [Fact]
    public async Task A_heartbeat_of_nobody_who_is_registered_says_how_to_register()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("gateway", "http://g", kind: "gateway"));

        foreach (var id in (string[])["nobody", "gateway"])
        {
            var (status, body) = await router.PostAsync("/heartbeat", new { node_id = id });
            Assert.Equal(HttpStatusCode.NotFound, status);
            Assert.Contains("POST /register", (string?)body!["detail"], StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.BadRequest, (await router.PostAsync("/heartbeat", new { load = 0.5 })).Status);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument, HttpStatusCode.BadRequest)]
    [InlineData(StatusCode.Unavailable, HttpStatusCode.ServiceUnavailable)]
    public async Task What_the_coordinator_says_against_it_is_passed_on(StatusCode said, HttpStatusCode status)
    {
        await using var router = await OneRouter.StartAsync();
        router.Coordinator.Announced = _ => throw new RpcException(new Status(said, "there are too many"));

        var answer = await router.PostAsync("/register", Request("s"));

        Assert.Equal(status, answer.Status);
        Assert.Contains("there are too many", (string?)answer.Body!["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_leader_does_not_take_it_another_coordinator_does()
    {
        await using var router = await OneRouter.StartAsync();
        await using var other = await OneCoordinator.StartAsync();
        other.Say(snapshot =>
        {
            (snapshot.NodeId, snapshot.Boot, snapshot.Leader) = ("c2", "boot-2", new Leader());
            (snapshot.Nodes[0].NodeId, snapshot.Nodes[0].Boot) = ("c2", "boot-2");
        });
        router.Coordinator.Announced = _ => throw new RpcException(new Status(StatusCode.Unavailable, "busy"));
        var taken = new List<string>();
        other.Announced = service => taken.Add(service.Id);
        await router.SayAsync(
            snapshot =>
                snapshot.Nodes.Add(
                    new Node
                    {
                        NodeId = "c2",
                        Boot = "boot-2",
                        State = "alive",
                        GrpcUrl = other.GrpcUrl,
                    }
                ),
            _ => router.Get<ServiceDefaults.Cluster.ClusterWatcher>().Current.Reachable.Length == 2
        );

        Assert.Equal(HttpStatusCode.OK, (await router.PostAsync("/register", Request("s"))).Status);
        Assert.Equal(["s"], taken);
    }

    [Fact]
    public async Task A_registered_service_may_leave_once()
    {
        await using var router = await OneRouter.StartAsync(OneService.At("s", "http://s"));
        var left = new List<string>();
        router.Coordinator.Withdrawn = left.Add;

        using var first = await router.Http.DeleteAsync(new Uri("/nodes/s", UriKind.Relative));
        await router.SayAsync(_ => { }, table => !table.ById.ContainsKey("s"));
        using var again = await router.Http.DeleteAsync(new Uri("/nodes/s", UriKind.Relative));

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (first.StatusCode, again.StatusCode));
        Assert.Equal(["s"], left);
    }
}
