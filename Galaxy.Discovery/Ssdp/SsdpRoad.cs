using System.Net;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Ssdp;

/// <summary>Sockets for <see cref="SsdpLink"/>, and reading what the devices that it finds say of themselves.</summary>
internal sealed class SsdpRoad(
    NodeOptions node,
    ListenAddresses addresses,
    DescriptionReader descriptions,
    Receiver receiver,
    LinkWatcher links,
    LocalNodes local,
    PeerTable peers,
    TimeProvider time,
    ILogger<SsdpRoad> log
)
    : MulticastRoad(
        "ssdp",
        node.UpnpEnabled,
        new MulticastGroup(IPAddress.Parse("239.255.255.250"), IPAddress.Parse("ff02::c"), 1900, Ttl: 2),
        asksFromOwnPort: true,
        receiver,
        links,
        local,
        peers,
        time,
        log
    )
{
    private const string Road = "ssdp";
    private static readonly string Server =
        $"{(OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "macOS" : "Linux")} "
        + "UPnP/1.1 Galaxy/1";

    private readonly Dictionary<int, SsdpLink> _links = [];
    private readonly Dictionary<Guid, Known> _known = [];
    private readonly Random _random = new();

    /// <summary>A device whose description was read.</summary>
    private sealed record Known(string Version, Sighting Sighting, TimeSpan ReadAt);

    private static readonly TimeSpan LeastReadEvery = TimeSpan.FromSeconds(50);
    private static readonly TimeSpan ReadLaterForEach = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// A description is read again after this time, for what it says is signed for the moment; later where there are
    /// many: two a second are read.
    /// </summary>
    private TimeSpan ReadEvery =>
        _known.Count * ReadLaterForEach is var later && later > LeastReadEvery ? later : LeastReadEvery;

    protected override TimeSpan NextTurn =>
        _links.Count == 0 ? TimeSpan.MaxValue : _links.Values.Min(link => link.NextTick);

    protected override void Publish(Link link, IReadOnlyList<LocalNode> nodes, bool linkIsNew)
    {
        if (linkIsNew || !_links.TryGetValue(link.Id, out var known))
        {
            known = _links[link.Id] = new SsdpLink(
                link.Address,
                addresses.Ports[0],
                Time.GetUtcNow().ToUnixTimeSeconds(),
                Server,
                _random
            );
            known.Search(Now);
        }
        Do(link, known.Publish([.. nodes.Select(Device)], Now));
    }

    protected override void Forget(Link link) => _links.Remove(link.Id);

    protected override void Scan()
    {
        foreach (var link in _links.Values)
            link.Search(Now);
    }

    protected override void Turn()
    {
        foreach (var link in OpenLinks.ToList())
        {
            if (_links.TryGetValue(link.Id, out var known) && known.NextTick <= Now)
                Do(link, known.Tick(Now));
        }
    }

    protected override void Leave()
    {
        foreach (var link in OpenLinks.ToList())
        {
            if (_links.TryGetValue(link.Id, out var known))
                Do(link, known.Leave());
        }
    }

    protected override void Hear(Packet packet)
    {
        while (descriptions.TryTake(out var read))
            Learn(read);
        if (packet.Bytes.Length == 0 || !_links.TryGetValue(packet.Link.Id, out var link))
            return;
        if (!SsdpMessage.TryParse(packet.Bytes.Span, out var message))
            Status.Reject("malformed");
        else
            Do(
                packet.Link,
                link.Hear(
                    message,
                    packet.Bytes.Length,
                    packet.From,
                    packet.Link.Contains(packet.From.Address),
                    packet.ToGroup,
                    Now
                )
            );
    }

    private void Do(Link link, IReadOnlyList<SsdpEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case SsdpEffect.Send send:
                    Send(link, send.Packet, send.To, send.Search);
                    break;
                case SsdpEffect.Refused refused:
                    Status.Reject(refused.Reason);
                    break;
                case SsdpEffect.Gone gone when _known.Remove(gone.Uuid, out var known):
                    Peers.Goodbye(known.Sighting.Cluster, known.Sighting.NodeId, Road, signed: false);
                    break;
                case SsdpEffect.Found found:
                    Found(found);
                    break;
            }
        }
    }

    private void Found(SsdpEffect.Found found)
    {
        if (Local.Current.Any(own => SsdpDescription.Uuid(own) == found.Uuid))
            return;
        // Packets of this discovery source are not signed: a packet keeps a peer known that its description made known,
        // and does not bring a peer back before the description has been read again.
        if (
            _known.TryGetValue(found.Uuid, out var known)
            && SameVersion(known.Version, found.Version)
            && Now - known.ReadAt < ReadEvery
            && Peers.Has(known.Sighting.Cluster, known.Sighting.NodeId, known.Sighting.Trust)
        )
        {
            Peers.See(known.Sighting with { Address = found.From.Address, RttMs = null, IsOld = true });
            return;
        }
        if (descriptions.Read(found, this) is { } refused)
            Status.Reject(refused);
    }

    // An answer to a search does not say which configuration it is.
    private static bool SameVersion(string known, string found) =>
        known == found
        || found.EndsWith('/') && known.StartsWith(found, StringComparison.Ordinal)
        || known.EndsWith('/') && found.StartsWith(known, StringComparison.Ordinal);

    /// <summary>A description was read, or could not be read: on the discovery source's own loop.</summary>
    private void Learn(DescriptionRead read)
    {
        if (read.Problem is { } problem)
            Status.Reject(problem);
        if (read.Sighting is not { } sighting)
            return;
        if (sighting.Distrust is { } distrust)
            Status.Reject(distrust);
        foreach (
            var old in _known
                .Where(pair => Now - pair.Value.ReadAt > PeerBook.LostAfter + ReadEvery)
                .Select(pair => pair.Key)
                .ToList()
        )
            _known.Remove(old);
        if (_known.Count < PeerBook.MostPeers || _known.ContainsKey(read.Uuid))
            _known[read.Uuid] = new Known(read.Version, sighting, Now);
        Peers.See(sighting);
    }

    /// <summary>There is a description to take.</summary>
    public void DescriptionIsRead() => Enqueue(default);

    private static SsdpDevice Device(LocalNode own) =>
        new(SsdpDescription.Uuid(own), SsdpDescription.Path(own), SsdpDescription.ConfigId(own));
}
