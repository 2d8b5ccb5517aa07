using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Announce;

/// <summary>The UDP announcement: asks and answers on port 37021, by multicast and by each interface's broadcast address.</summary>
internal sealed class AnnounceRoad(NodeOptions node, LocalNodes local, PeerTable peers, Trust trust, TimeProvider time, ILogger<AnnounceRoad> log)
    : Road("udp", node.BroadcastEnabled, node.BroadcastPort, IPAddress.Parse("239.255.255.250"), time, log)
{
    protected override TimeSpan Every => TimeSpan.FromSeconds(10);

    protected override async Task SpeakAsync(Link link, CancellationToken cancellation)
    {
        foreach (var own in local.Current)
        {
            var question = Build(own, AnnouncementKind.Discover);
            await SendAsync(link, question, new IPEndPoint(Group, Port));
            await SendAsync(link, question, new IPEndPoint(link.Broadcast, Port));
        }
    }

    protected override async Task HearAsync(ReadOnlyMemory<byte> packet, IPEndPoint from, Link link, CancellationToken cancellation)
    {
        if (!Announcement.TryParse(packet.Span, out var heard))
        {
            Status.Reject("malformed");
            return;
        }
        if (local.Contains(heard.NodeId))
            return;
        var distrust = trust.Judge(heard);
        if (distrust is not null)
            Status.Reject(distrust);
        // The same packet comes by multicast and by broadcast: the second is no attack.
        if (distrust != "replayed" && heard.Role != "worker")
        {
            peers.See(new Sighting(
                "udp", heard.NodeId, heard.Role, heard.Cluster, heard.Url, heard.Metadata.GetValueOrDefault("grpc_url", ""), from.Address, distrust is null, distrust));
        }
        if (heard.Kind != AnnouncementKind.Discover || distrust == "replayed")
            return;
        foreach (var own in local.Current)
        {
            var answer = Build(own, AnnouncementKind.Response);
            await SendAsync(link, answer, from);
            if (from.Port != Port)
                await SendAsync(link, answer, new IPEndPoint(from.Address, Port));
        }
    }

    private byte[] Build(LocalNode own, AnnouncementKind kind) => trust.Sign(
        new Announcement(kind, own.NodeId, Time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0)
        {
            Name = own.NodeId,
            DeviceType = "Coordinator",
            Port = own.Port,
            Role = own.Role,
            Cluster = own.Cluster,
            Url = own.Url,
            Capabilities = ["cluster", "tasks"],
            Metadata = new Dictionary<string, string> { ["grpc_url"] = own.GrpcUrl, ["ver"] = own.Version },
            Nonce = Guid.NewGuid().ToString("N"),
        }).ToBytes();
}
