using System.Net;

namespace Galaxy.Core.Discovery.Peers;

/// <summary>How far a node that was seen is believed.</summary>
public enum PeerTrust
{
    /// <summary>Its announcement is not signed, or stale, or signed with another key: shown, never joined.</summary>
    Untrusted,

    /// <summary>No key is set here, so that nothing can be checked: development on one machine.</summary>
    Open,

    /// <summary>Signed with the cluster's key, and new.</summary>
    Trusted,
}

/// <summary>What one packet said of a node.</summary>
/// <param name="Road"><c>mdns</c>, <c>ssdp</c>, <c>udp</c>, <c>static</c> or <c>registry</c>.</param>
/// <param name="Distrust">Why it is untrusted; null when it is not.</param>
public sealed record Sighting(string Road, string NodeId, string Cluster, PeerTrust Trust, string? Distrust)
{
    public string Role { get; init; } = "";
    public string Url { get; init; } = "";
    public string GrpcUrl { get; init; } = "";
    public string Version { get; init; } = "";
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>The address that the packet came from; null when it has no particular sender.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>From a question of ours to the answer, in ms; null when this is no answer.</summary>
    public double? RttMs { get; init; }

    /// <summary>How long this is worth; at most <see cref="PeerBook.LostAfter"/>.</summary>
    public TimeSpan Life { get; init; } = PeerBook.LostAfter;

    /// <summary>
    /// It was said before and stands there still, as in the registry until it expires: that keeps a node that is known,
    /// and does not bring back one that was lost since, nor makes another that took its name trusted.
    /// </summary>
    public bool IsOld { get; init; }
}

/// <summary>A node that was seen, by all discovery sources together.</summary>
/// <param name="Roads">When it was last seen on each.</param>
/// <param name="RttMs">The latest round trip, in ms.</param>
public sealed record Peer(
    string NodeId,
    string Cluster,
    string Role,
    string Url,
    string GrpcUrl,
    string Version,
    IReadOnlyList<string> Capabilities,
    IReadOnlyDictionary<string, DateTimeOffset> Roads,
    IReadOnlyList<string> Addresses,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    PeerTrust Trust,
    string? Distrust,
    double? RttMs
);

/// <summary>What happened to a peer.</summary>
public enum PeerChange
{
    Found,
    Updated,
    Lost,
}

public sealed record PeerEvent(PeerChange Change, Peer Peer);
