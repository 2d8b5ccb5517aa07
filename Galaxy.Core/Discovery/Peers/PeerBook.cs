namespace Galaxy.Core.Discovery.Peers;

/// <summary>
/// All peers seen by any discovery source. Bounded: at most <see cref="MostPeers"/>, of which
/// <see cref="MostUntrusted"/> untrusted; a trusted peer replaces an untrusted one, never the reverse. A peer is lost
/// when it said goodbye, or was not seen for <see cref="LostAfter"/> by any source. Not thread-safe.
/// </summary>
public sealed class PeerBook
{
    public const int MostPeers = 1000;
    public const int MostUntrusted = 250;
    private const int MostAddresses = 8;
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(string Cluster, string NodeId), Known> _peers = [];
    private int _untrusted;

    private sealed class Known(Peer peer)
    {
        public Peer Peer { get; set; } = peer;

        /// <summary>Until when each road vouches for it.</summary>
        public Dictionary<string, TimeSpan> Until { get; } = new(StringComparer.Ordinal);
    }

    public IReadOnlyList<Peer> All =>
        [
            .. _peers
                .Values.Select(known => known.Peer)
                .OrderBy(peer => peer.NodeId, StringComparer.Ordinal)
                .ThenBy(peer => peer.Cluster, StringComparer.Ordinal),
        ];

    public int Count => _peers.Count;

    /// <summary>Whether the node is known, and believed that far.</summary>
    public bool Has(string cluster, string nodeId, PeerTrust trust) =>
        _peers.TryGetValue((cluster, nodeId), out var known) && known.Peer.Trust == trust;

    /// <summary>Takes in a sighting; the events that it makes, at most two.</summary>
    /// <param name="now">Monotonic.</param>
    /// <param name="wall">For display.</param>
    public IReadOnlyList<PeerEvent> See(Sighting sighting, TimeSpan now, DateTimeOffset wall)
    {
        var key = (sighting.Cluster, sighting.NodeId);
        var events = new List<PeerEvent>();
        if (_peers.TryGetValue(key, out var known))
        {
            // A less trusted sighting never replaces a more trusted peer, and an old sighting says nothing of a node
            // that has taken the name since.
            if (known.Peer.Trust > sighting.Trust || (sighting.IsOld && known.Peer.Trust != sighting.Trust))
                return [];
        }
        else if (sighting.IsOld || !MakeRoom(sighting.Trust, events))
        {
            return [];
        }
        var before = known?.Peer;
        var peer = Join(before, sighting, wall);
        if (known is null)
            _peers[key] = known = new Known(peer);
        if (before?.Trust != peer.Trust)
            _untrusted += (peer.Trust == PeerTrust.Untrusted ? 1 : 0) - (before?.Trust == PeerTrust.Untrusted ? 1 : 0);
        known.Peer = peer;
        known.Until[sighting.Road] = now + (sighting.Life < LostAfter ? sighting.Life : LostAfter);
        if (before is null)
            events.Add(new PeerEvent(PeerChange.Found, peer));
        else if (Differs(before, peer))
            events.Add(new PeerEvent(PeerChange.Updated, peer));
        return events;
    }

    /// <summary>The node said goodbye through a discovery source, or the source has lost it.</summary>
    /// <param name="signed">The goodbye is signed with the cluster's key: the peer is removed from every source.
    /// Otherwise it is removed only from this one: any host can send such a packet.</param>
    public IReadOnlyList<PeerEvent> Goodbye(string cluster, string nodeId, string road, bool signed)
    {
        var key = (cluster, nodeId);
        if (!_peers.TryGetValue(key, out var known) || !known.Until.Remove(road))
            return signed && known is not null ? [Drop(key, known)] : [];
        if (signed || known.Until.Count == 0)
            return [Drop(key, known)];
        return [Without(known, [road])];
    }

    /// <summary>The other coordinators say that this node is dead or has left.</summary>
    public IReadOnlyList<PeerEvent> PeersSayGone(string cluster, string nodeId) =>
        _peers.TryGetValue((cluster, nodeId), out var known) ? [Drop((cluster, nodeId), known)] : [];

    /// <summary>Forgets the peers that were not seen for too long.</summary>
    public IReadOnlyList<PeerEvent> Tick(TimeSpan now)
    {
        var events = new List<PeerEvent>();
        foreach (var (key, known) in _peers.ToList())
        {
            var silent = known.Until.Where(road => road.Value <= now).Select(road => road.Key).ToList();
            if (silent.Count == 0)
                continue;
            silent.ForEach(road => known.Until.Remove(road));
            if (known.Until.Count == 0)
                events.Add(Drop(key, known));
            else
                events.Add(Without(known, silent));
        }
        return events;
    }

    private static PeerEvent Without(Known known, IReadOnlyList<string> roads)
    {
        known.Peer = known.Peer with
        {
            Roads = known.Peer.Roads.Where(pair => !roads.Contains(pair.Key)).ToDictionary(),
        };
        return new PeerEvent(PeerChange.Updated, known.Peer);
    }

    private static Peer Join(Peer? before, Sighting seen, DateTimeOffset wall)
    {
        var roads = new Dictionary<string, DateTimeOffset>(before?.Roads ?? new Dictionary<string, DateTimeOffset>())
        {
            [seen.Road] = wall,
        };
        // What was said before it was trusted counts no longer.
        var old = before is not null && before.Trust == seen.Trust ? before : null;
        IEnumerable<string> addresses = old?.Addresses ?? [];
        if (seen.Address is { } address && address.ToString() is var text)
            addresses = [text, .. addresses.Where(other => other != text)];
        return new Peer(
            seen.NodeId,
            seen.Cluster,
            Either(seen.Role, old?.Role),
            Either(seen.Url, old?.Url),
            Either(seen.GrpcUrl, old?.GrpcUrl),
            Either(seen.Version, old?.Version),
            seen.Capabilities.Count > 0 ? seen.Capabilities : old?.Capabilities ?? [],
            roads,
            [.. addresses.Take(MostAddresses)],
            before?.FirstSeen ?? wall,
            wall,
            seen.Trust,
            seen.Distrust,
            seen.RttMs ?? old?.RttMs
        );
    }

    private static bool Differs(Peer before, Peer after) =>
        before.Trust != after.Trust
        || before.Url != after.Url
        || before.GrpcUrl != after.GrpcUrl
        || before.Role != after.Role
        || before.Version != after.Version
        || before.Roads.Count != after.Roads.Count;

    private bool MakeRoom(PeerTrust trust, List<PeerEvent> events)
    {
        if (
            trust == PeerTrust.Untrusted
                ? _untrusted < MostUntrusted && _peers.Count < MostPeers
                : _peers.Count < MostPeers
        )
            return true;
        if (trust == PeerTrust.Untrusted || _untrusted == 0)
            return false;
        var (key, known) = _peers
            .Where(pair => pair.Value.Peer.Trust == PeerTrust.Untrusted)
            .MinBy(pair => pair.Value.Peer.LastSeen);
        events.Add(Drop(key, known));
        return true;
    }

    private PeerEvent Drop((string Cluster, string NodeId) key, Known known)
    {
        _peers.Remove(key);
        if (known.Peer.Trust == PeerTrust.Untrusted)
            _untrusted--;
        return new PeerEvent(PeerChange.Lost, known.Peer);
    }

    private static string Either(string fresh, string? known) => fresh.Length > 0 ? fresh : known ?? "";
}
