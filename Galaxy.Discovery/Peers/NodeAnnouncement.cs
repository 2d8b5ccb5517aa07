using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;

namespace Galaxy.Discovery.Peers;

/// <summary>
/// A node as an announcement, which three discovery sources carry: by UDP, in the registry, and in the SSDP
/// description.
/// </summary>
internal static class NodeAnnouncement
{
    private const int LongestNonce = 64;

    /// <summary>The announcement of a local node; not signed yet.</summary>
    /// <param name="re">The nonce of the question that this answers, or nothing.</param>
    public static Announcement Of(LocalNode own, AnnouncementKind kind, string re = "", bool leaving = false)
    {
        var metadata = new Dictionary<string, string> { ["grpc_url"] = own.GrpcUrl, ["ver"] = own.Version };
        if (re.Length is > 0 and <= LongestNonce)
            metadata["re"] = re;
        if (leaving)
            metadata["leaving"] = "true";
        return new Announcement(kind, own.NodeId, 0)
        {
            Name = own.NodeId,
            DeviceType = "Coordinator",
            Port = own.Port,
            Role = own.Role,
            Cluster = own.Cluster,
            Url = own.Url,
            Capabilities = ["cluster", "tasks"],
            Metadata = metadata,
        };
    }

    /// <summary>Reads the announcement of another machine's node.</summary>
    public static Sighting Seen(string road, Announcement heard, Verdict verdict) =>
        new(road, heard.NodeId, heard.Cluster, verdict.Trust, verdict.Reason)
        {
            Role = heard.Role,
            Url = heard.Url,
            GrpcUrl = heard.Metadata.GetValueOrDefault("grpc_url", ""),
            Version = heard.Metadata.GetValueOrDefault("ver", ""),
            Capabilities = heard.Capabilities,
        };
}
