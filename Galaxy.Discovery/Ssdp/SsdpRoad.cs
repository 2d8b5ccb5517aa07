using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Ssdp;

/// <summary>SSDP (UPnP Device Architecture 1.1, section 1): answers searches, notifies, and searches for others.</summary>
internal sealed class SsdpRoad(NodeOptions node, LocalNodes local, PeerTable peers, Trust trust, ListenAddresses addresses, TimeProvider time, ILogger<SsdpRoad> log)
    : Road("ssdp", node.UpnpEnabled, SsdpPort, IPAddress.Parse("239.255.255.250"), time, log)
{
    public const string DeviceType = "urn:schemas-ufo-galaxy:device:Coordinator:1";
    private const int SsdpPort = 1900;
    private const int MaxDelaySeconds = 3;
    private static readonly string Server = "Galaxy/1 UPnP/1.1 Galaxy/" + ServiceDefaults.BuildVersion.Text;

    private readonly string _bootId = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
    private readonly Random _random = new();

    protected override TimeSpan Every => TimeSpan.FromSeconds(60);

    protected override async Task SpeakAsync(Link link, CancellationToken cancellation)
    {
        var everybody = new IPEndPoint(Group, Port);
        await SendAsync(link, SsdpMessage.Create(SsdpMessage.SearchLine,
            ("HOST", "239.255.255.250:1900"), ("MAN", "\"ssdp:discover\""), ("MX", "1"), ("ST", DeviceType), ("USER-AGENT", Server)).ToBytes(), everybody);
        foreach (var own in local.Current)
        {
            foreach (var type in Types(own))
                await SendAsync(link, Notify(own, link, type, "ssdp:alive").ToBytes(), everybody);
        }
    }

    protected override async Task LeaveAsync(Link link)
    {
        foreach (var own in local.Current)
        {
            foreach (var type in Types(own))
                await SendAsync(link, Notify(own, link, type, "ssdp:byebye").ToBytes(), new IPEndPoint(Group, Port));
        }
    }

    protected override async Task HearAsync(ReadOnlyMemory<byte> packet, IPEndPoint from, Link link, CancellationToken cancellation)
    {
        if (!SsdpMessage.TryParse(packet.Span, out var message))
            Status.Reject("malformed");
        else if (message.IsSearch)
            await AnswerAsync(message, from, link, cancellation);
        else
            Learn(message, from.Address);
    }

    private async Task AnswerAsync(SsdpMessage search, IPEndPoint from, Link link, CancellationToken cancellation)
    {
        // Answering strangers would make this an amplifier.
        if (!link.Contains(from.Address))
        {
            Status.Reject("off-subnet search");
            return;
        }
        var asked = search["ST"];
        if (search["MAN"] is not "\"ssdp:discover\"" || asked is null)
            return;
        var mx = int.TryParse(search["MX"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? Math.Clamp(seconds, 1, MaxDelaySeconds) : 1;
        foreach (var own in local.Current)
        {
            // One answer, also to ssdp:all: enough to be found, too little to flood anybody with.
            if ((asked == "ssdp:all" ? DeviceType : Types(own).FirstOrDefault(type => type == asked)) is not { } type)
                continue;
            await Task.Delay(TimeSpan.FromSeconds(_random.NextDouble() * mx * 0.8), Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SendAsync(link, Response(own, link, type).ToBytes(), from);
        }
    }

    private void Learn(SsdpMessage message, IPAddress from)
    {
        if (message["NT"] != DeviceType && message["ST"] != DeviceType)
            return;
        var nodeId = message["NODE.GALAXY"] ?? message["USN"] ?? "";
        if (nodeId.Length is 0 or > 128 || local.Contains(nodeId))
            return;
        if (message["NTS"] == "ssdp:byebye")
        {
            peers.Goodbye(nodeId, "ssdp");
            return;
        }
        var (cluster, url, grpc, role) = (message["CLUSTER.GALAXY"] ?? "", message["URL.GALAXY"] ?? "", message["GRPC.GALAXY"] ?? "", message["ROLE.GALAXY"] ?? "");
        var distrust = trust.JudgeFields(message["SIG.GALAXY"] ?? "", nodeId, role, cluster, url, grpc);
        if (distrust is not null)
            Status.Reject(distrust);
        peers.See(new Sighting("ssdp", nodeId, role, cluster, url, grpc, from, distrust is null, distrust));
    }

    private SsdpMessage Response(LocalNode own, Link link, string type) => SsdpMessage.Create(SsdpMessage.OkLine,
        [("CACHE-CONTROL", "max-age=1800"), ("EXT", ""), ("LOCATION", Location(own, link)), ("SERVER", Server), ("ST", type), ("USN", Usn(own, type)), .. Galaxy(own)]);

    private SsdpMessage Notify(LocalNode own, Link link, string type, string kind) => SsdpMessage.Create(SsdpMessage.NotifyLine,
        [("HOST", "239.255.255.250:1900"), ("CACHE-CONTROL", "max-age=1800"), ("LOCATION", Location(own, link)), ("NT", type), ("NTS", kind), ("SERVER", Server), ("USN", Usn(own, type)), .. Galaxy(own)]);

    private IEnumerable<(string, string)> Galaxy(LocalNode own) =>
    [
        ("BOOTID.UPNP.ORG", _bootId), ("CONFIGID.UPNP.ORG", "1"), ("NODE.GALAXY", own.NodeId), ("ROLE.GALAXY", own.Role), ("CLUSTER.GALAXY", own.Cluster),
        ("URL.GALAXY", own.Url), ("GRPC.GALAXY", own.GrpcUrl), ("SIG.GALAXY", trust.SignFields(own.NodeId, own.Role, own.Cluster, own.Url, own.GrpcUrl)),
    ];

    private string Location(LocalNode own, Link link) => $"http://{link.Address}:{addresses.Ports[0]}/description/{Uri.EscapeDataString(own.NodeId)}.xml";

    private static string[] Types(LocalNode own) => ["upnp:rootdevice", "uuid:" + DeviceUuid(own), DeviceType];

    private static string Usn(LocalNode own, string type) => type.StartsWith("uuid:", StringComparison.Ordinal) ? type : $"uuid:{DeviceUuid(own)}::{type}";

    /// <summary>The same for a node as long as it keeps its name: a name-based UUID (RFC 9562, section 5.5, with SHA-256).</summary>
    public static Guid DeviceUuid(LocalNode own)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"galaxy/{own.Cluster}/{own.NodeId}"))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
