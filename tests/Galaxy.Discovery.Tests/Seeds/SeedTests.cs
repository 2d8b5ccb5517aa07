using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Seeds;
using Galaxy.Router.Tests.Lab;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Discovery.Tests.Seeds;

public sealed class SeedTests
{
    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:9071")]
    [InlineData("127.0.0.1:1234", "http://127.0.0.1:1234")]
    [InlineData("[::1]", "http://[::1]:9071")]
    [InlineData("[::1]:1234", "http://[::1]:1234")]
    [InlineData("https://127.0.0.1", "https://127.0.0.1:9071")]
    // What is written counts, also when it is the usual port of its scheme.
    [InlineData("https://127.0.0.1:443", "https://127.0.0.1")]
    [InlineData("https://[::1]:443/", "https://[::1]")]
    [InlineData("127.0.0.1:80", "http://127.0.0.1")]
    [InlineData("http://127.0.0.1:443", "http://127.0.0.1:443")]
    public async Task A_seed_without_a_port_has_that_of_coordinators(string seed, string address) =>
        Assert.Equal([address], await SeedResolver.ResolveAsync(seed, default));

    private static SeedRoad Road(OneMachine machine) =>
        new(machine.Node, machine.Local, machine.Peers, machine.Channels, machine.Time, NullLogger<SeedRoad>.Instance);

    [Fact]
    public async Task A_seed_says_who_it_is_and_is_trusted_for_it_was_configured()
    {
        await using var seed = await OneCoordinator.StartAsync();
        seed.Say(snapshot => (snapshot.NodeId, snapshot.Nodes[0].NodeId, snapshot.Cluster) = ("s1", "s1", "galaxy"));
        await using var machine = await OneMachine.StartAsync(
            node: new NodeOptions
            {
                NodeId = "discovery",
                ApiKey = OneMachine.Key,
                Seeds = [seed.GrpcUrl],
            }
        );
        using var road = Road(machine);
        await road.StartAsync(default);

        await Eventually.TrueAsync(() => machine.Peers.Count == 1 && road.Status.Sockets == 1);

        var peer = machine.Peers.All[0];
        Assert.Equal(("s1", PeerTrust.Trusted, seed.GrpcUrl), (peer.NodeId, peer.Trust, peer.GrpcUrl));
        Assert.Equal(["127.0.0.1"], peer.Addresses);
        await road.StopAsync(default);
    }

    [Fact]
    public async Task Silent_seeds_are_counted_and_one_that_is_our_own_is_no_news()
    {
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var seeds = new List<string> { $"127.0.0.1:{((IPEndPoint)nobody.LocalEndPoint!).Port}" };
        await using var machine = await OneMachine.StartAsync(
            node: new NodeOptions
            {
                NodeId = "discovery",
                ApiKey = OneMachine.Key,
                Seeds = seeds,
            }
        );
        machine.Coordinator.Say(snapshot => snapshot.Cluster = "galaxy");
        seeds.Add(machine.Coordinator.GrpcUrl);
        using var road = Road(machine);
        await road.StartAsync(default);

        await Eventually.TrueAsync(() =>
            road.Status.Sockets == 1 && road.Status.Rejected.GetValueOrDefault("no answer") > 0
        );

        Assert.Equal(0, machine.Peers.Count);
        await road.StopAsync(default);
    }
}
