using System.Globalization;
using System.Net;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Hosts;

namespace Galaxy.Bench.Discovery;

/// <summary>
/// 10,000 packets a second for ten seconds on each road in turn: each packet an unsigned node of its own.
/// </summary>
internal static class Floods
{
    private const int PerSecond = 10_000;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private sealed record Row(
        string Road,
        long Sent,
        double BeforeMiB,
        double AfterMiB,
        double CpuBefore,
        double CpuDuring,
        double CpuAfter,
        int Seen,
        string Rejected
    );

    public static async Task<object> RunAsync()
    {
        Console.WriteLine("Floods: 10,000 packets/s for 10 s on each road");
        await using var network = await HostNetwork.CreateAsync(3);
        GalaxyNode.StartStore(network[0]);
        using var a = new GalaxyNode(network[0]);
        using var b = new GalaxyNode(network[1]);
        a.Start();
        b.Start();
        await Wait.ForAsync("a sees b", async () => (await a.SeenAsync()).ContainsKey(b.NodeId));
        await Task.Delay(TimeSpan.FromSeconds(20));
        var rows = new List<Row>
        {
            await FloodAsync(network, a, "udp", new IPEndPoint(IPAddress.Parse("239.255.255.250"), 37021), number =>
                Encoding.UTF8.GetBytes(
                    $$"""UFO_GALAXY_RESPONSE {"type":"UFO_GALAXY_RESPONSE","node_id":"evil-{{number}}","timestamp":{{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}},"cluster":"lab","role":"coordinator","url":"http://10.88.0.3:8071","nonce":"{{number}}"}"""
                )
            ),
            await FloodAsync(network, a, "mdns", new IPEndPoint(IPAddress.Parse("224.0.0.251"), 5353), number =>
                DnsWriter.Write(
                    new DnsMessage
                    {
                        IsResponse = true,
                        Authoritative = true,
                        Answers =
                        [
                            new(ServiceTxt.ServiceType, DnsType.Ptr, 4500, $"evil-{number}.{ServiceTxt.ServiceType}"),
                            new(
                                $"evil-{number}.{ServiceTxt.ServiceType}",
                                DnsType.Srv,
                                60,
                                new DnsSrv(0, 0, 8071, $"evil-{number}.local."),
                                CacheFlush: true
                            ),
                            new(
                                $"evil-{number}.{ServiceTxt.ServiceType}",
                                DnsType.Txt,
                                4500,
                                ServiceTxt.Write([new("node_id", $"evil-{number}"), new("cluster", "lab")]),
                                CacheFlush: true
                            ),
                            new($"evil-{number}.local.", DnsType.A, 60, IPAddress.Parse("10.88.0.3"), CacheFlush: true),
                        ],
                    }
                )
            ),
            await FloodAsync(network, a, "ssdp", new IPEndPoint(IPAddress.Parse("239.255.255.250"), 1900), number =>
                Encoding.ASCII.GetBytes(
                    $"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-ufo-galaxy:device:Coordinator:1\r\nNTS: ssdp:alive\r\nLOCATION: http://10.88.0.3:9/{number}.xml\r\nUSN: uuid:{new Guid((int)number, 0, 0, new byte[8])}::urn:schemas-ufo-galaxy:device:Coordinator:1\r\n\r\n"
                )
            ),
        };
        Console.WriteLine(
            "| road | sent | RSS before MiB | after | CPU % before | during | 5 s after | nodes seen | trusted but node-b | refused |\n|---|---|---|---|---|---|---|---|---|---|"
        );
        var joined = (await a.SeenAsync()).Count(seen =>
            seen.Key != b.NodeId && seen.Value.GetProperty("trust").GetString() == "trusted"
        );
        foreach (var row in rows)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.Road} | {row.Sent} | {row.BeforeMiB:0.0} | {row.AfterMiB:0.0} | {row.CpuBefore:0.0} | {row.CpuDuring:0.0} | {row.CpuAfter:0.0} | {row.Seen} | {joined} | {row.Rejected} |"
                )
            );
        return new { floods = rows };
    }

    private static async Task<Row> FloodAsync(
        HostNetwork network,
        GalaxyNode a,
        string road,
        IPEndPoint to,
        Func<long, byte[]> packet
    )
    {
        var discovery = a.Discovery!;
        var (memory, before) = (discovery.ResidentMiB, await ShareAsync(discovery, Quiet));
        var cpu = discovery.ProcessorSeconds;
        using var socket = network[2].OpenUdp(to.Port == 5353 ? 5353 : 0);
        var sent = await Flood.SendAsync(socket, to, packet, PerSecond, Long);
        var during = (discovery.ProcessorSeconds - cpu) / Long.TotalSeconds * 100;
        await Task.Delay(Quiet);
        var after = await ShareAsync(discovery, Quiet);
        var rejected = (await a.RoadAsync(road))!
            .Value.GetProperty("rejected")
            .EnumerateObject()
            .Select(reason => $"{reason.Name}: {reason.Value.GetInt64()}");
        return new Row(
            road,
            sent,
            memory,
            discovery.ResidentMiB,
            before,
            during,
            after,
            (await a.SeenAsync()).Count,
            string.Join(", ", rejected)
        );
    }

    /// <summary>Percent of a core in that time.</summary>
    public static async Task<double> ShareAsync(LabProcess process, TimeSpan time)
    {
        var before = process.ProcessorSeconds;
        await Task.Delay(time);
        return (process.ProcessorSeconds - before) / time.TotalSeconds * 100;
    }
}
