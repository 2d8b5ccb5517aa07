using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Galaxy.Discovery.Peers;
using Galaxy.Hosts;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Bench.Discovery;

/// <summary>
/// A thousand nodes on a segment, each with an address of its own, that announce themselves as Galaxy's discovery does,
/// by its own code: signed UDP questions every ten seconds and answers to those of the one under measurement, multicast
/// DNS with probes, announcements, answers and refreshes, SSDP notifications, and descriptions over HTTP. They do not
/// look for others: the traffic of a thousand that do is not here.
/// </summary>
internal static class Crowd
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(60);

    public static async Task<object> RunAsync(int count)
    {
        Console.WriteLine($"Announcers: {count}, two minutes");
        await using var network = await HostNetwork.CreateAsync(2);
        GalaxyNode.StartStore(network[0]);
        using var a = new GalaxyNode(network[0]);
        a.Start();
        await Wait.ForAsync("a announces itself", async () =>
            await a.RoadAsync("udp") is { } road && road.GetProperty("sent").GetInt64() > 5
        );
        await Task.Delay(TimeSpan.FromSeconds(20));
        var discovery = a.Discovery!;
        var (aloneMiB, aloneCpu) = (
            discovery.ResidentMiB,
            await Floods.ShareAsync(discovery, TimeSpan.FromSeconds(20))
        );

        var addresses = Enumerable
            .Range(0, count)
            .Select(i => new IPAddress([10, 88, (byte)(8 + (i / 250)), (byte)((i % 250) + 1)]))
            .ToList();
        var batch = Path.Combine(network[1].Data, "addresses");
        await File.WriteAllLinesAsync(batch, addresses.Select(address => $"addr add {address}/16 dev eth0"));
        await Command.RunAsync("ip", "-n", network[1].Name, "-batch", batch);
        var trust = new Trust(
            new NodeOptions
            {
                NodeId = "crowd",
                Cluster = "crowd",
                ApiKey = GalaxyNode.Key,
            },
            TimeProvider.System
        );
        using var ends = new CancellationTokenSource();
        var members = addresses
            .Select((address, i) => new CrowdMember($"member-{i}", address, network[1], trust, i))
            .ToList();
        var loop = new CrowdLoop(members, network[1], a.Host.Address, trust);
        var running = Task.Run(() => loop.RunAsync(ends.Token));

        await Wait.ForAsync(
            $"a sees {count} on all three roads",
            async () =>
            {
                if (running.IsFaulted)
                    await running;
                var seen = await a.SeenAsync();
                return seen.Count(peer => peer.Value.GetProperty("roads").EnumerateObject().Count() == 3) >= count;
            },
            120
        );
        await Task.Delay(Settling);
        var (lowest, cpu, heard) = (int.MaxValue, discovery.ProcessorSeconds, await ReceivedAsync(a));
        for (var second = 0; second < Measured.TotalSeconds; second += 5)
        {
            await Task.Delay(TimeSpan.FromSeconds(5));
            lowest = Math.Min(lowest, (await a.SeenAsync()).Count);
        }
        var share = (discovery.ProcessorSeconds - cpu) / Measured.TotalSeconds * 100;
        var result = new
        {
            announcers = count,
            seen_at_least = lowest,
            cpu_percent = Math.Round(share, 1),
            cpu_percent_alone = Math.Round(aloneCpu, 1),
            rss_mib = Math.Round(discovery.ResidentMiB, 1),
            rss_mib_alone = Math.Round(aloneMiB, 1),
            pss_mib = Math.Round(discovery.ProportionalMiB, 1),
            packets_per_second = Math.Round((await ReceivedAsync(a) - heard) / Measured.TotalSeconds),
        };
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  seen at any moment {result.seen_at_least} of {count}; CPU {result.cpu_percent} % of a "
                    + $"core (alone {result.cpu_percent_alone}); RSS {result.rss_mib} MiB (alone "
                    + $"{result.rss_mib_alone}), PSS {result.pss_mib}; {result.packets_per_second} "
                    + $"packets/s received"
            )
        );
        foreach (var road in (string[])["udp", "mdns", "ssdp"])
            Console.WriteLine($"  {road}: {(await a.RoadAsync(road))!.Value.GetProperty("rejected").GetRawText()}");
        Console.WriteLine("  " + discovery.Memory);
        await ends.CancelAsync();
        await running;
        members.ForEach(member => member.Dispose());
        return new { crowd = result };
    }

    private static async Task<long> ReceivedAsync(GalaxyNode node)
    {
        var sum = 0L;
        foreach (var road in (string[])["udp", "mdns", "ssdp"])
            sum += (await node.RoadAsync(road))!.Value.GetProperty("received").GetInt64();
        return sum;
    }
}
