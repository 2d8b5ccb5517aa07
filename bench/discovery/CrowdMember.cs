using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;
using Galaxy.Hosts;

namespace Galaxy.Bench.Discovery;

/// <summary>One node of the crowd: its address, its sockets, and the protocols' own machines.</summary>
internal sealed class CrowdMember : IDisposable
{
    public static readonly IPEndPoint Udp = new(IPAddress.Parse("239.255.255.250"), 37021);
    public static readonly IPEndPoint Mdns = new(IPAddress.Parse("224.0.0.251"), 5353);
    public static readonly IPEndPoint Ssdp = new(IPAddress.Parse("239.255.255.250"), 1900);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(10);

    private readonly Trust _trust;
    private readonly Socket _udp;
    private readonly Socket _mdnsSocket;
    private readonly Socket _ssdpSocket;
    private readonly MdnsHost _mdns;
    private readonly SsdpLink _ssdp;
    private readonly PriorityQueue<(Announcement Question, IPEndPoint From), TimeSpan> _answers = new();
    private readonly Askers _askers = new();
    private readonly Random _random;
    private TimeSpan _ask;

    public CrowdMember(string nodeId, IPAddress address, LabHost host, Trust trust, int seed)
    {
        (Address, _trust) = (address, trust);
        Own = new LocalNode(nodeId, "coordinator", "crowd", $"http://{address}:8071", $"http://{address}:9071", "1");
        (_udp, _mdnsSocket, _ssdpSocket) = (
            host.OpenUdp(37021, from: address),
            host.OpenUdp(5353, from: address),
            host.OpenUdp(1900, from: address)
        );
        _random = new Random(seed);
        _mdns = new MdnsHost(_random);
        _ssdp = new SsdpLink(address, 8037, 1, "Linux UPnP/1.1 Galaxy/1", _random);
        // Not all in one moment.
        var start = TimeSpan.FromSeconds(10 * _random.NextDouble());
        _ask = start;
        DoMdns(
            _mdns.Publish(
                1,
                [
                    new MdnsService(
                        nodeId,
                        $"galaxy-{nodeId}",
                        8071,
                        [
                            new("node_id", nodeId),
                            new("type", Own.Role),
                            new("cluster", Own.Cluster),
                            new("ver", Own.Version),
                            new("url", Own.Url),
                            new("grpc", Own.GrpcUrl),
                            new(
                                "sig",
                                trust.SignFields(
                                    DateTimeOffset.UtcNow,
                                    nodeId,
                                    Own.Role,
                                    Own.Cluster,
                                    Own.Version,
                                    Own.Url,
                                    Own.GrpcUrl
                                )
                            ),
                        ]
                    ),
                ],
                [address],
                start
            )
        );
        DoSsdp(
            _ssdp.Publish(
                [new SsdpDevice(SsdpDescription.Uuid(Own), SsdpDescription.Path(Own), SsdpDescription.ConfigId(Own))],
                start
            )
        );
    }

    public IPAddress Address { get; }

    public LocalNode Own { get; }

    public void Tick(TimeSpan now)
    {
        if (_ask <= now)
        {
            _ask = now + AskEvery;
            // By multicast and by broadcast.
            var question = _trust.Make(NodeAnnouncement.Of(Own, AnnouncementKind.Discover)).ToBytes();
            _udp.SendTo(question, Udp);
            _udp.SendTo(question, new IPEndPoint(IPAddress.Parse("10.88.255.255"), 37021));
        }
        while (_answers.TryPeek(out var asked, out var due) && due <= now)
        {
            _answers.Dequeue();
            Answer(asked.Question, asked.From);
        }
        if (_mdns.NextTick <= now)
            DoMdns(_mdns.Tick(now));
        if (_ssdp.NextTick <= now)
            DoSsdp(_ssdp.Tick(now));
    }

    // With so many around, each waits up to a second and a half, and answers nobody again for a hundred.
    public void HearUdp(Announcement question, IPEndPoint from, TimeSpan now)
    {
        if (!_askers.IsInformed(question.NodeId, TimeSpan.FromSeconds(100), now))
            _answers.Enqueue((question, from), now + TimeSpan.FromSeconds(1.5 * _random.NextDouble()));
    }

    private void Answer(Announcement question, IPEndPoint from)
    {
        var answer = _trust.Make(NodeAnnouncement.Of(Own, AnnouncementKind.Response, re: question.Nonce)).ToBytes();
        _udp.SendTo(answer, from);
        if (from.Port != 37021)
            _udp.SendTo(answer, new IPEndPoint(from.Address, 37021));
    }

    public void HearMdns(DnsMessage message, IPEndPoint from, TimeSpan now) =>
        DoMdns(_mdns.Hear(1, message, from, now));

    public void HearSsdp(SsdpMessage message, int bytes, IPEndPoint from, TimeSpan now) =>
        DoSsdp(_ssdp.Hear(message, bytes, from, onLink: true, toGroup: true, now));

    private void DoMdns(IReadOnlyList<(int Link, MdnsEffect Effect)> effects)
    {
        foreach (var (_, effect) in effects)
        {
            // Its own questions for others stay unsaid.
            if (
                effect is MdnsEffect.Send send
                && DnsReader.TryParse(send.Packet, out var message)
                && (message.IsResponse || message.Authorities.Count > 0)
            )
                _mdnsSocket.SendTo(send.Packet, send.To ?? Mdns);
        }
    }

    private void DoSsdp(IReadOnlyList<SsdpEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (effect is SsdpEffect.Send { Search: false } send)
                _ssdpSocket.SendTo(send.Packet, send.To ?? Ssdp);
        }
    }

    public void Dispose()
    {
        _udp.Dispose();
        _mdnsSocket.Dispose();
        _ssdpSocket.Dispose();
    }
}
