using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;

namespace Galaxy.Discovery.Peers;

/// <summary>What one packet said of a node.</summary>
/// <param name="Road"><c>mdns</c>, <c>ssdp</c> or <c>udp</c>.</param>
/// <param name="Trusted">Signed with the cluster's key, fresh and not seen before; always true where no key is set.</param>
internal sealed record Sighting(
    string Road, string NodeId, string Role, string Cluster, string Url, string GrpcUrl, IPAddress Address, bool Trusted, string? Distrust);

/// <summary>A node that was seen.</summary>
internal sealed record Peer(
    string NodeId, string Role, string Cluster, string Url, string GrpcUrl, IReadOnlyDictionary<string, DateTimeOffset> Roads,
    IReadOnlyList<string> Addresses, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, string Trust, string? Distrust);

/// <param name="Type"><c>device_found</c>, <c>device_updated</c> or <c>device_lost</c>.</param>
internal sealed record PeerEvent(string Type, Peer Peer);

/// <summary>Everybody seen on any road: at most <see cref="MaxPeers"/>, lost after 60 s of silence. Thread-safe.</summary>
internal sealed class PeerTable(TimeProvider time)
{
    public const int MaxPeers = 1000;
    private const int MaxAddresses = 8;
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Peer> _peers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Channel<PeerEvent>, byte> _listeners = new();

    public IReadOnlyList<Peer> All
    {
        get
        {
            lock (_gate)
                return [.. _peers.Values.OrderBy(peer => peer.NodeId, StringComparer.Ordinal)];
        }
    }

    public void See(Sighting sighting)
    {
        PeerEvent happened;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var known = _peers.GetValueOrDefault(sighting.NodeId);
            // What cannot be trusted never replaces what can.
            if (known is null ? _peers.Count >= MaxPeers : known.Trust == "trusted" && !sighting.Trusted)
                return;
            var roads = new Dictionary<string, DateTimeOffset>(known?.Roads ?? new Dictionary<string, DateTimeOffset>()) { [sighting.Road] = now };
            var addresses = (known?.Addresses ?? []).Prepend(sighting.Address.ToString()).Distinct().Take(MaxAddresses).ToList();
            var peer = new Peer(
                sighting.NodeId, Either(sighting.Role, known?.Role), Either(sighting.Cluster, known?.Cluster), Either(sighting.Url, known?.Url),
                Either(sighting.GrpcUrl, known?.GrpcUrl), roads, addresses, known?.FirstSeen ?? now, now, sighting.Trusted ? "trusted" : "untrusted", sighting.Distrust);
            _peers[peer.NodeId] = peer;
            if (known is not null && known.Trust == peer.Trust && known.Url == peer.Url && known.Roads.Count == roads.Count)
                return;
            happened = new PeerEvent(known is null ? "device_found" : "device_updated", peer);
        }
        Tell(happened);
    }

    /// <summary>The node said goodbye on a road.</summary>
    public void Goodbye(string nodeId, string road)
    {
        Peer? gone;
        lock (_gate)
        {
            if (!_peers.TryGetValue(nodeId, out gone) || !gone.Roads.ContainsKey(road))
                return;
            _peers.Remove(nodeId);
        }
        Tell(new PeerEvent("device_lost", gone));
    }

    public void ForgetSilent()
    {
        List<Peer> lost;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            lost = [.. _peers.Values.Where(peer => now - peer.LastSeen > LostAfter)];
            lost.ForEach(peer => _peers.Remove(peer.NodeId));
        }
        lost.ForEach(peer => Tell(new PeerEvent("device_lost", peer)));
    }

    /// <summary>Events from now on; a slow reader loses the oldest.</summary>
    public async IAsyncEnumerable<PeerEvent> Events([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var channel = Channel.CreateBounded<PeerEvent>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropOldest });
        _listeners[channel] = 0;
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellation))
                yield return happened;
        }
        finally
        {
            _listeners.TryRemove(channel, out _);
        }
    }

    private void Tell(PeerEvent happened)
    {
        foreach (var listener in _listeners.Keys)
            listener.Writer.TryWrite(happened);
    }

    private static string Either(string fresh, string? known) => fresh.Length > 0 ? fresh : known ?? "";
}
