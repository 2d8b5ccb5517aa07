using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Announce;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Discovery.Tests.Announce;

/// <summary>The road itself, on a port of its own; the other node is a socket on loopback.</summary>
public sealed class AnnounceRoadTests : IAsyncLifetime
{
    private readonly UdpClient _other = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Trust _trust = new(new NodeOptions { NodeId = "b", ApiKey = OneMachine.Key }, TimeProvider.System);
    private OneMachine _machine = null!;
    private AnnounceRoad _road = null!;

    public async ValueTask InitializeAsync()
    {
        using var free = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)free.Client.LocalEndPoint!).Port;
        free.Close();
        _machine = await OneMachine.StartAsync(
            node: new NodeOptions
            {
                NodeId = "discovery",
                ApiKey = OneMachine.Key,
                BroadcastPort = port,
            }
        );
        _road = new AnnounceRoad(
            _machine.Node,
            _machine.Receiver,
            _machine.Links,
            _machine.Local,
            _machine.Peers,
            _machine.Trust,
            _machine.Time,
            NullLogger<AnnounceRoad>.Instance
        );
        await _road.StartAsync(default);
        await Eventually.TrueAsync(() => _road.Status.Sockets > 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _road.StopAsync(default);
        _road.Dispose();
        _other.Dispose();
        await _machine.DisposeAsync();
    }

    private async Task SendAsync(byte[] packet) =>
        await _other.SendAsync(packet, new IPEndPoint(IPAddress.Loopback, _machine.Node.BroadcastPort));

    private static Announcement Say(
        AnnouncementKind kind,
        string id = "b",
        string role = "coordinator",
        bool leaving = false
    ) =>
        NodeAnnouncement.Of(
            new LocalNode(id, role, "galaxy", "http://127.0.0.1:1", "http://127.0.0.1:2", "1"),
            kind,
            leaving: leaving
        );

    [Fact]
    public async Task A_question_is_answered_with_its_nonce_and_our_signature()
    {
        var question = _trust.Make(Say(AnnouncementKind.Discover));
        await SendAsync(question.ToBytes());

        using var patience = new CancellationTokenSource(Eventually.Patience);
        var answer = await _other.ReceiveAsync(patience.Token);

        Assert.True(Announcement.TryParse(answer.Buffer, out var heard));
        Assert.Equal((AnnouncementKind.Response, "c1", question.Nonce), (heard.Kind, heard.NodeId, heard.Answers));
        Assert.Equal(PeerTrust.Trusted, _trust.Judge(heard).Trust);
        // Who asks is there, too.
        await Eventually.TrueAsync(() => _machine.Peers.Has("galaxy", "b", PeerTrust.Trusted));
    }

    [Fact]
    public async Task Only_a_signed_goodbye_makes_a_trusted_node_go()
    {
        await SendAsync(_trust.Make(Say(AnnouncementKind.Response)).ToBytes());
        await Eventually.TrueAsync(() => _machine.Peers.Has("galaxy", "b", PeerTrust.Trusted));
        // Known on another road as well: the unsigned goodbye can take it from this road only.
        _machine.Peers.See(new Sighting("mdns", "b", "galaxy", PeerTrust.Trusted, null));

        await SendAsync((Say(AnnouncementKind.Response, leaving: true) with { Nonce = "n" }).ToBytes());
        await Eventually.TrueAsync(() => _road.Status.Rejected.GetValueOrDefault("unsigned") == 1);
        Assert.True(_machine.Peers.Has("galaxy", "b", PeerTrust.Trusted));

        await SendAsync(_trust.Make(Say(AnnouncementKind.Response, leaving: true)).ToBytes());
        await Eventually.TrueAsync(() => _machine.Peers.Count == 0);
    }

    [Fact]
    public async Task Damaged_and_oversized_packets_are_counted_and_workers_are_no_coordinators()
    {
        await SendAsync("UFO_GALAXY_RESPONSE {"u8.ToArray());
        await SendAsync(new byte[Announcement.MaxBytes + 1]);
        await SendAsync(_trust.Make(Say(AnnouncementKind.Discover, "w", "worker")).ToBytes());
        await SendAsync(_trust.Make(Say(AnnouncementKind.Response, "last")).ToBytes());

        await Eventually.TrueAsync(() => _machine.Peers.Count > 0);

        Assert.Equal(
            (1, 1),
            (_road.Status.Rejected.GetValueOrDefault("malformed"), _road.Status.Rejected.GetValueOrDefault("oversized"))
        );
        Assert.Equal(["last"], _machine.Peers.All.Select(peer => peer.NodeId));
    }

    [Fact]
    public async Task What_was_said_before_brings_nobody_back()
    {
        var said = _trust.Make(Say(AnnouncementKind.Response)).ToBytes();
        await SendAsync(said);
        await Eventually.TrueAsync(() => _machine.Peers.Count == 1);
        _machine.Peers.Goodbye("galaxy", "b", "udp", signed: true);

        // From another port, so that it is no repetition of the same datagram.
        using var third = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await third.SendAsync(said, new IPEndPoint(IPAddress.Loopback, _machine.Node.BroadcastPort));
        await Eventually.TrueAsync(() => _road.Status.Rejected.GetValueOrDefault("replayed") == 1);

        Assert.Equal(0, _machine.Peers.Count);
    }
}
