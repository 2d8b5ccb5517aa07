using Galaxy.Contracts.Cluster;
using Galaxy.Core.Routing;
using Galaxy.Router.Routing;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Tests.Routing;

public sealed class TargetReaderTests
{
    private static ClusterView View(bool leaderIsWatched = true, params Device[] devices)
    {
        Node[] nodes =
        [
            new()
            {
                NodeId = "a",
                Boot = "1",
                State = "alive",
            },
            new()
            {
                NodeId = "b",
                Boot = "2",
                State = "suspect",
            },
            new()
            {
                NodeId = "c",
                Boot = "3",
                State = "dead",
            },
        ];
        var leader = new Leader
        {
            NodeId = "a",
            Boot = "1",
            Token = 1,
        };
        return new ClusterView(1, leader, leaderIsWatched, [.. nodes], [.. nodes], [], [.. devices]);
    }

    private static RouteTarget One(Device device) =>
        TargetReader.Read(View(devices: device)).Single(target => target.IsDevice);

    [Fact]
    public void Tasks_are_submitted_to_the_leader_only_and_to_nobody_while_it_is_away()
    {
        static IEnumerable<string> Takers(ClusterView view) =>
            TargetReader
                .Read(view)
                .Where(target => target.Capabilities.Any(one => one.Name == "tasks.submit"))
                .Select(target => target.Id);

        Assert.Equal(["a"], Takers(View()));
        Assert.Empty(Takers(View(leaderIsWatched: false)));
    }

    [Fact]
    public void A_suspected_coordinator_is_taken_last_and_a_dead_one_never() =>
        Assert.Equal(
            [TargetStatus.Healthy, TargetStatus.Degraded, TargetStatus.Unhealthy],
            TargetReader.Read(View()).Select(target => target.Status)
        );

    [Theory]
    [InlineData("busy", TargetStatus.Healthy)]
    [InlineData("maintenance", TargetStatus.Degraded)]
    [InlineData("offline", TargetStatus.Unhealthy)]
    [InlineData("a state of a later version", TargetStatus.Unknown)]
    public void What_a_device_says_of_itself_decides_what_it_gets(string state, TargetStatus status) =>
        Assert.Equal(status, One(new Device { DeviceId = "d", State = state }).Status);

    [Fact]
    public void Tags_become_labels_with_the_first_value_of_each_name()
    {
        var device = new Device { DeviceId = "d", Tags = { "room=attic", "gpu", "sum=1+1=2", "room=cellar" } };

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["room"] = "attic",
                ["gpu"] = "",
                ["sum"] = "1+1=2",
            },
            One(device).Labels
        );
    }

    [Fact]
    public void A_device_that_tells_no_number_of_slots_has_one() =>
        Assert.Equal(1, One(new Device { DeviceId = "d", Slots = 0 }).Slots);

    [Fact]
    public void A_capability_without_a_path_is_served_under_its_escaped_name()
    {
        var offers = One(
            new Device
            {
                DeviceId = "d",
                Capabilities =
                {
                    new Capability { Name = "a b/c" },
                    new Capability
                    {
                        Name = "own",
                        Path = "/own",
                        Method = "GET",
                    },
                },
            }
        ).Capabilities;

        Assert.Equal(("/invoke/a%20b%2Fc", "POST"), (offers[0].Path, offers[0].Method));
        Assert.Equal(("/own", "GET"), (offers[1].Path, offers[1].Method));
    }
}
