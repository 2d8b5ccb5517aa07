using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Mdns;

/// <summary>
/// Sockets for <see cref="MdnsHost"/>: <c>_ufo-galaxy._tcp.local.</c> over IPv4 and IPv6 (RFC 6762, RFC 6763).
/// </summary>
internal sealed class MdnsRoad(
    NodeOptions node,
    Receiver receiver,
    LinkWatcher links,
    LocalNodes local,
    PeerTable peers,
    Trust trust,
    TimeProvider time,
    ILogger<MdnsRoad> log
)
    : MulticastRoad(
        "mdns",
        node.MdnsEnabled,
        new MulticastGroup(IPAddress.Parse("224.0.0.251"), IPAddress.Parse("ff02::fb"), 5353, Ttl: 255),
        // Answers to questions from another port would be those for plain resolvers (RFC 6762, section 6.7).
        asksFromOwnPort: false,
        receiver,
        links,
        local,
        peers,
        time,
        log
    )
{
    private const string Road = "mdns";

    /// <summary>Signatures in records are as old as the records that carry them may be.</summary>
    private static readonly TimeSpan SignatureLife = TimeSpan.FromSeconds(MdnsTiming.SharedTtl);
    private static readonly TimeSpan SignEvery = SignatureLife / 2;

    private readonly MdnsHost _host = new(new Random());
    private readonly Dictionary<string, (string Cluster, string NodeId)> _instances = new(
        StringComparer.OrdinalIgnoreCase
    );
    private DateTimeOffset _signedAt = time.GetUtcNow();
    private TimeSpan _nextSigning = SignEvery;

    protected override TimeSpan NextTurn => _host.NextTick < _nextSigning ? _host.NextTick : _nextSigning;

    protected override void Publish(Link link, IReadOnlyList<LocalNode> nodes, bool linkIsNew)
    {
        Do(_host.Publish(link.Id, [.. nodes.Select(Service)], link.All, Now));
        if (linkIsNew)
            _host.Restart(link.Id, Now);
    }

    protected override void Forget(Link link) => _host.Down(link.Id);

    protected override void Scan() => _host.Scan(Now);

    protected override void Leave() => Do(_host.Leave());

    protected override void Turn()
    {
        if (Now >= _nextSigning)
        {
            (_signedAt, _nextSigning) = (Time.GetUtcNow(), Now + SignEvery);
            foreach (var link in OpenLinks.ToList())
                Do(_host.Publish(link.Id, [.. Local.On(link).Select(Service)], link.All, Now));
        }
        Do(_host.Tick(Now));
    }

    protected override void Hear(Packet packet)
    {
        // Only nodes of the same link are answered and trusted (RFC 6762, section 11).
        if (!packet.Link.Contains(packet.From.Address))
            Status.Reject("not from this link");
        else if (!DnsReader.TryParse(packet.Bytes.Span, out var message))
            Status.Reject("malformed");
        else if (message.IsResponse && packet.From.Port != 5353)
            Status.Reject("answer from another port");
        else
            Do(_host.Hear(packet.Link.Id, message, packet.From, Now), packet.From.Address);
    }

    private void Do(IReadOnlyList<(int Link, MdnsEffect Effect)> effects, IPAddress? from = null)
    {
        foreach (var (id, effect) in effects)
        {
            switch (effect)
            {
                case MdnsEffect.Send send when LinkOf(id) is { } link:
                    Send(link, send.Packet, send.To);
                    break;
                case MdnsEffect.Conflict:
                    Status.Reject("name taken");
                    break;
                case MdnsEffect.Found found:
                    See(found.Instance, from);
                    break;
                case MdnsEffect.Gone gone when _instances.Remove(gone.FullName, out var who):
                    Peers.Goodbye(who.Cluster, who.NodeId, Road, signed: false);
                    break;
            }
        }
    }

    private void See(MdnsInstance instance, IPAddress? from)
    {
        var txt = instance.Txt;
        var (nodeId, role, cluster) = (
            txt.GetValueOrDefault("node_id", instance.Label),
            txt.GetValueOrDefault("type", ""),
            txt.GetValueOrDefault("cluster", "")
        );
        if (nodeId.Length is 0 or > 128 || cluster.Length > 128 || Local.Contains(cluster, nodeId))
            return;
        var (version, url, grpc) = (
            txt.GetValueOrDefault("ver", ""),
            txt.GetValueOrDefault("url", ""),
            txt.GetValueOrDefault("grpc", "")
        );
        var verdict = trust.JudgeFields(
            txt.GetValueOrDefault("sig", ""),
            SignatureLife,
            nodeId,
            role,
            cluster,
            version,
            url,
            grpc
        );
        if (verdict.Reason is { } reason)
            Status.Reject(reason);
        if (_instances.Count >= PeerBook.MostPeers && !_instances.ContainsKey(instance.FullName))
            return;
        _instances[instance.FullName] = (cluster, nodeId);
        var address = instance.Addresses.Count > 0 ? instance.Addresses[0] : from;
        Peers.See(
            new Sighting(Road, nodeId, cluster, verdict.Trust, verdict.Reason)
            {
                Role = role,
                Url =
                    url.Length > 0 || address is null
                        ? url
                        : $"http://{(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address)}:{instance.Srv.Port}",
                GrpcUrl = grpc,
                Version = version,
                Address = from ?? address,
                Life = instance.Until - Now,
            }
        );
    }

    private MdnsService Service(LocalNode own) =>
        new(
            MdnsService.Label(own.NodeId),
            // Not the machine's own name, which Avahi or the like answers for.
            MdnsService.Label(
                "galaxy-"
                    + new string([.. own.NodeId.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-')])
            ),
            (ushort)own.Port,
            [
                new("node_id", own.NodeId),
                new("type", own.Role),
                new("cluster", own.Cluster),
                new("ver", own.Version),
                new("url", own.Url),
                new("grpc", own.GrpcUrl),
                new(
                    "sig",
                    trust.SignFields(_signedAt, own.NodeId, own.Role, own.Cluster, own.Version, own.Url, own.GrpcUrl)
                ),
            ]
        );
}
