using Galaxy.Contracts.Cluster;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Discovery.Tests.Peers;

public sealed class PeerTableTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static Sighting Seen(string id, string cluster = "galaxy") =>
        new("udp", id, cluster, PeerTrust.Trusted, null);

    [Fact]
    public async Task A_coordinator_of_this_machine_is_no_news_and_one_of_another_cluster_is()
    {
        await using var machine = await OneMachine.StartAsync(_time);

        machine.Peers.See(Seen("c1"));
        machine.Peers.See(Seen("c1", cluster: "another"));

        Assert.Equal("another", Assert.Single(machine.Peers.All).Cluster);
    }

    [Fact]
    public async Task Who_is_not_heard_of_for_a_minute_is_lost_and_readers_are_told()
    {
        await using var machine = await OneMachine.StartAsync(_time);
        using var ends = new CancellationTokenSource();
        var events = machine.Peers.Events(ends.Token).GetAsyncEnumerator(ends.Token);
        async Task<string> NextAsync(Task<bool>? begun = null)
        {
            Assert.True(await (begun ?? events.MoveNextAsync().AsTask()).WaitAsync(Eventually.Patience));
            return events.Current.Type;
        }

        // A reader listens from the moment that it asks.
        var first = events.MoveNextAsync().AsTask();
        machine.Peers.See(Seen("b"));
        Assert.Equal("device_found", await NextAsync(first));
        _time.Advance(TimeSpan.FromSeconds(59));
        machine.Peers.See(Seen("b") with { Url = "http://b" });
        Assert.Equal("device_updated", await NextAsync());
        Assert.Equal(1, machine.Peers.Count);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal("device_lost", await NextAsync());
        Assert.Equal(0, machine.Peers.Count);
        await events.DisposeAsync();
    }

    [Fact]
    public async Task Whom_the_coordinators_call_dead_is_gone_once_and_may_be_heard_of_again()
    {
        await using var machine = await OneMachine.StartAsync(_time);
        machine.Peers.See(Seen("b"));

        machine.Coordinator.Say(snapshot => snapshot.Nodes.Add(new Node { NodeId = "b", State = "dead" }));
        await Eventually.TrueAsync(() => machine.Watcher.Current.Nodes.Length == 2);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await Eventually.TrueAsync(() => machine.Peers.Count == 0);

        machine.Peers.See(Seen("b"));
        var version = machine.Peers.Version;
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await machine.Peers.StopAsync(default);
        Assert.Equal((1, version), (machine.Peers.Count, machine.Peers.Version));
    }

    [Fact]
    public async Task What_listens_on_loopback_only_is_announced_there_only()
    {
        await using var machine = await OneMachine.StartAsync(_time);
        var loopback = machine.Links.Current.Single(link => link.IsLoopback);
        var wire = new Link(
            99,
            "wire",
            System.Net.Sockets.AddressFamily.InterNetwork,
            [new LinkAddress(System.Net.IPAddress.Parse("10.99.0.1"), 24)],
            []
        );

        Assert.Equal("c1", Assert.Single(machine.Local.On(loopback)).NodeId);
        Assert.Empty(machine.Local.On(wire));
        Assert.True(machine.Local.Contains("galaxy", "c1"));

        // Known by the machine's name, which holds on every link.
        machine.Coordinator.Say(snapshot => snapshot.Nodes[0].GrpcUrl = $"http://{System.Net.Dns.GetHostName()}:9071");
        await Eventually.TrueAsync(() => machine.Local.On(wire).Count == 1);
        Assert.Contains(
            System.Net.Dns.GetHostName(),
            machine.Local.On(wire)[0].GrpcUrl,
            StringComparison.OrdinalIgnoreCase
        );

        machine.Coordinator.Say(snapshot => snapshot.Nodes[0].GrpcUrl = "http://192.0.2.1:9071");
        await Eventually.TrueAsync(() => machine.Local.Current.Count == 0);
    }

    [Fact]
    public void A_nonce_that_is_too_long_is_not_repeated_so_that_an_answer_stays_small()
    {
        var own = new LocalNode("a", "coordinator", "galaxy", "http://a:1", "http://a:2", "1");

        string Answers(int length) =>
            NodeAnnouncement.Of(own, Core.Discovery.AnnouncementKind.Response, re: new string('n', length)).Answers;

        Assert.Equal(64, Answers(64).Length);
        Assert.Equal("", Answers(65));
    }
}
