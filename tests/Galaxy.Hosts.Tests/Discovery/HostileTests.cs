using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Hosts.Tests.Discovery;

/// <summary>
/// A third host on the segment that means harm: nothing of it is believed, all of it is counted, and nothing is the
/// worse for it.
/// </summary>
public class HostileTests(Segment segment)
{
    private static readonly IPEndPoint Udp = new(IPAddress.Parse("239.255.255.250"), 37021);
    private static readonly IPEndPoint Mdns = new(IPAddress.Parse("224.0.0.251"), 5353);
    private static readonly IPEndPoint Ssdp = new(IPAddress.Parse("239.255.255.250"), 1900);
    private static readonly byte[] RightKey = ApiKey.Derive(GalaxyNode.Key, "announce");
    private static readonly byte[] WrongKey = ApiKey.Derive("another-key-0123456789", "announce");
    private static readonly IPAddress Elsewhere = IPAddress.Parse("192.168.77.1");

    private static double Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    private Announcement Evil(string nodeId, double timestamp) =>
        new(AnnouncementKind.Response, nodeId, timestamp)
        {
            Cluster = "lab",
            Role = "coordinator",
            Port = 8071,
            Url = $"http://{segment.C.Address}:8071",
            Metadata = new Dictionary<string, string> { ["grpc_url"] = $"http://{segment.C.Address}:9071" },
            Nonce = Guid.NewGuid().ToString("N"),
        };

    private async Task CountedAsync(string road, string reason, Func<Task> send)
    {
        var before = await segment.A.RejectedAsync(road, reason);
        var first = (await segment.A.RoadAsync(road))?.GetRawText();
        await send();
        var (status, sent) = ("", Stopwatch.GetTimestamp());
        await Eventually.TrueAsync(
            async () =>
            {
                // The network may lose a packet: it is said again.
                if (Stopwatch.GetElapsedTime(sent).TotalSeconds > 2)
                {
                    await send();
                    sent = Stopwatch.GetTimestamp();
                }
                status = (await segment.A.RoadAsync(road))?.GetRawText() ?? "";
                return await segment.A.RejectedAsync(road, reason) > before;
            },
            10,
            () => $"{road}: {reason}: {first}, then {status}"
        );
    }

    private static async Task SendAsync(Socket socket, IPEndPoint to, byte[] packet) =>
        await socket.SendToAsync(packet, to);

    private async Task NothingJoinedAsync()
    {
        Assert.DoesNotContain(
            (await segment.A.SeenAsync()).Where(seen => seen.Key.StartsWith("evil", StringComparison.Ordinal)),
            seen => seen.Value.GetProperty("trust").GetString() != "untrusted"
        );
        await segment.OneClusterAsync("node-a", "node-b");
    }

    [Fact]
    public async Task Announcements_that_are_forged_stale_replayed_or_broken_are_counted_and_join_nothing()
    {
        using var socket = segment.C.OpenUdp();
        await CountedAsync("udp", "unsigned", () => SendAsync(socket, Udp, Evil("evil-unsigned", Now).ToBytes()));
        await CountedAsync("udp", "wrong key", () =>
            SendAsync(socket, Udp, Evil("evil-key", Now).Sign(WrongKey).ToBytes())
        );
        await CountedAsync("udp", "stale", () =>
            SendAsync(socket, Udp, Evil("evil-stale", Now - 120).Sign(RightKey).ToBytes())
        );
        await CountedAsync("udp", "malformed", () =>
            SendAsync(socket, Udp, Encoding.UTF8.GetBytes("UFO_GALAXY_RESPONSE {\"node_id\":"))
        );
        await CountedAsync("udp", "oversized", () => SendAsync(socket, Udp, new byte[1201]));
        // What was signed and then changed.
        var changed = Evil("evil-change", Now).Sign(RightKey) with { Url = "http://10.88.0.99:8071" };
        await CountedAsync("udp", "wrong key", () => SendAsync(socket, Udp, changed.ToBytes()));

        // What a node of the cluster really said, once more.
        using var spy = segment.C.OpenUdp(37021, Udp.Address);
        var (buffer, recorded) = (new byte[2000], Array.Empty<byte>());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (!Announcement.TryParse(recorded, out var said) || said.NodeId != "node-b")
            recorded = buffer[..await spy.ReceiveAsync(buffer, patience.Token)];
        await Eventually.TrueAsync(async () =>
        {
            // Within a second it would be taken for the same packet by another way.
            await SendAsync(socket, Udp, recorded);
            return await segment.A.RejectedAsync("udp", "replayed") > 0;
        });
        await NothingJoinedAsync();
    }

    [Fact]
    public async Task Records_that_are_forged_broken_or_from_elsewhere_are_counted_and_join_nothing()
    {
        using var socket = segment.C.OpenUdp(5353, Mdns.Address);
        await CountedAsync("mdns", "malformed", () => SendAsync(socket, Mdns, [1, 2, 3]));
        await CountedAsync("mdns", "malformed", () =>
            SendAsync(socket, Mdns, Enumerable.Repeat((byte)0xC0, 8000).ToArray())
        );
        await CountedAsync("mdns", "unsigned", () => SendAsync(socket, Mdns, Records("evil-mdns-a", "")));
        await CountedAsync("mdns", "wrong key", () =>
            SendAsync(
                socket,
                Mdns,
                Records("evil-mdns-b", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}.{new string('0', 64)}")
            )
        );
        using var other = segment.C.OpenUdp();
        await CountedAsync("mdns", "answer from another port", () =>
            SendAsync(other, Mdns, Records("evil-mdns-c", ""))
        );
        await using var alias = await ElsewhereAsync();
        using var far = segment.C.OpenUdp(5353, from: Elsewhere);
        await CountedAsync("mdns", "not from this link", () => SendAsync(far, Mdns, Records("evil-mdns-d", "")));
        await NothingJoinedAsync();
    }

    // An address that is not of the segment, to which answers would nevertheless arrive.
    private async Task<IAsyncDisposable> ElsewhereAsync()
    {
        await HostNetwork.IpAsync(segment.A.Host.Name, $"route replace {Elsewhere}/32 dev eth0");
        return await segment.C.AliasAsync(Elsewhere);
    }

    private byte[] Records(string nodeId, string signature)
    {
        var instance = $"{nodeId}.{ServiceTxt.ServiceType}";
        return DnsWriter.Write(
            new DnsMessage
            {
                IsResponse = true,
                Authoritative = true,
                Answers =
                [
                    new(ServiceTxt.ServiceType, DnsType.Ptr, 4500, instance),
                    new(instance, DnsType.Srv, 60, new DnsSrv(0, 0, 8071, $"{nodeId}.local."), CacheFlush: true),
                    new(
                        instance,
                        DnsType.Txt,
                        4500,
                        ServiceTxt.Write([
                            new("node_id", nodeId),
                            new("cluster", "lab"),
                            new("grpc", $"http://{segment.C.Address}:9071"),
                            .. signature.Length > 0
                                ? [new("sig", signature)]
                                : Array.Empty<KeyValuePair<string, string>>(),
                        ]),
                        CacheFlush: true
                    ),
                    new($"{nodeId}.local.", DnsType.A, 60, segment.C.Address, CacheFlush: true),
                ],
            }
        );
    }

    [Fact]
    public async Task Searches_from_elsewhere_get_no_answer_and_others_never_more_than_three_times_their_bytes()
    {
        using var near = segment.C.OpenUdp();
        foreach (
            var question in new[]
            {
                Search(""),
                Search("USER-AGENT: a program with a name that is a little longer than most\r\n"),
                Search($"X: {new string('x', 300)}\r\n"),
            }
        )
            Assert.InRange(await AnswersAsync(near, question), 0, 3 * question.Length * 2);
        // There are two nodes; each keeps to its own limit. The long one is answered, so that the measure measures
        // something.
        Assert.NotEqual(0, await AnswersAsync(near, Search($"X: {new string('x', 300)}\r\n")));
        await CountedAsync("ssdp", "question too small", () => SendAsync(near, Ssdp, Search("")));

        await using var alias = await ElsewhereAsync();
        using var far = segment.C.OpenUdp(from: Elsewhere);
        await CountedAsync("ssdp", "not from this subnet", () =>
            SendAsync(far, Ssdp, Search($"X: {new string('x', 300)}\r\n"))
        );
        Assert.Equal(0, await AnswersAsync(far, Search($"X: {new string('x', 300)}\r\n")));

        await CountedAsync("ssdp", "malformed", () =>
            SendAsync(near, Ssdp, Encoding.ASCII.GetBytes("M-SEARCH * HTTP/1.1\r\nnonsense\r\n\r\n"))
        );
        await CountedAsync("ssdp", "location elsewhere", () =>
            SendAsync(near, Ssdp, Alive("http://10.88.0.1:8071/api/v1/tasks"))
        );
        await CountedAsync("ssdp", "description unreadable", () =>
            SendAsync(near, Ssdp, Alive($"http://{segment.C.Address}:9/x.xml"))
        );
        await NothingJoinedAsync();

        static byte[] Search(string more) =>
            Encoding.ASCII.GetBytes(
                $"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n{more}\r\n"
            );

        static byte[] Alive(string location) =>
            Encoding.ASCII.GetBytes(
                $"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-ufo-galaxy:device:Coordinator:1\r\nNTS: ssdp:alive\r\nLOCATION: {location}\r\nUSN: uuid:{Guid.NewGuid()}::urn:schemas-ufo-galaxy:device:Coordinator:1\r\n\r\n"
            );
    }

    // Whatever comes within the second that the question allows, and half a second more.
    private static async Task<int> AnswersAsync(Socket socket, byte[] question)
    {
        await socket.SendToAsync(question, Ssdp);
        var (bytes, buffer) = (0, new byte[9000]);
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(1.5));
        try
        {
            while (true)
                bytes += await socket.ReceiveAsync(buffer, end.Token);
        }
        catch (OperationCanceledException)
        {
            return bytes;
        }
    }

    /// <summary><c>bench/discovery</c> measures ten seconds of it.</summary>
    [Fact]
    public async Task A_flood_is_cut_off_and_does_not_grow_the_memory()
    {
        var discovery = segment.A.Discovery!;
        var memory = discovery.ResidentMiB;
        using var socket = segment.C.OpenUdp();

        await CountedAsync("udp", "flooding", () =>
            Flood.SendAsync(
                socket,
                Udp,
                number => Evil($"evil-{number % 50}", Now).ToBytes(),
                10_000,
                TimeSpan.FromSeconds(3)
            )
        );

        Assert.InRange(discovery.ResidentMiB, 0, memory + 48);
        var started = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(async () =>
            (await segment.A.SeenAsync()).TryGetValue("node-b", out var seen)
            && seen.GetProperty("trust").GetString() == "trusted"
        );
        Assert.InRange((await segment.A.SeenAsync()).Count, 1, 100);
        await NothingJoinedAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 30);
    }
}
