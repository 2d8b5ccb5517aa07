using System.Net;

namespace Galaxy.Hosts.Tests.Discovery;

public class TwoHostsTests(Segment segment)
{
    /// <summary>
    /// Seconds until a killed node must be gone. A suspicion that nobody else confirms lasts up to 18 s
    /// (<c>SuspectAtLeast</c> 3 s, six times longer when alone), after the probe that noticed.
    /// </summary>
    private const int KilledWithin = 40;

    private static async Task<bool> SeesAsync(GalaxyNode node, string other, params string[] roads) =>
        (await node.SeenAsync()).TryGetValue(other, out var seen)
        && seen.GetProperty("trust").GetString() == "trusted"
        && roads.All(road => seen.GetProperty("roads").TryGetProperty(road, out _));

    [Fact]
    public async Task Hosts_with_one_key_find_each_other_on_every_road_and_become_one_cluster()
    {
        foreach (var (node, other) in new[] { (segment.A, "node-b"), (segment.B, "node-a") })
        {
            var seen = "";
            await Eventually.TrueAsync(
                async () =>
                {
                    seen = string.Join(", ", (await node.SeenAsync()).Select(one => $"{one.Key}: {one.Value}"));
                    return await SeesAsync(node, other, "udp", "mdns", "ssdp", "registry");
                },
                also: () => seen
            );
        }

        await segment.OneClusterAsync("node-a", "node-b");
    }

    [Fact]
    public async Task A_host_that_stops_is_gone_from_the_others_at_once_and_a_killed_one_when_its_peers_say_so()
    {
        using var third = new GalaxyNode(segment.D);
        foreach (var killed in new[] { false, true })
        {
            third.Start();
            await segment.OneClusterAsync("node-a", "node-b", "node-d");
            await Eventually.TrueAsync(() => SeesAsync(segment.A, "node-d", "udp", "mdns"));
            await Eventually.TrueAsync(() => SeesAsync(segment.B, "node-d", "udp", "mdns"));

            if (killed)
                await Task.WhenAll(third.Coordinator!.KillAsync(), third.Discovery!.KillAsync());
            else
                await Task.WhenAll(third.Coordinator!.StopAsync(), third.Discovery!.StopAsync());

            // Otherwise its minute would have to run out.
            await Eventually.TrueAsync(
                async () => !await SeesAsync(segment.A, "node-d") && !await SeesAsync(segment.B, "node-d"),
                killed ? KilledWithin : 5
            );
            // Nor does what it left in the registry bring it back.
            if (killed)
                await Eventually.NeverAsync(
                    async () => await SeesAsync(segment.A, "node-d") || await SeesAsync(segment.B, "node-d"),
                    7
                );
        }
    }

    [Fact]
    public async Task A_host_whose_cable_was_pulled_and_that_gets_another_address_is_found_again()
    {
        var address = IPAddress.Parse("10.88.0.77");
        await segment.B.Host.UnplugAsync();
        await segment.B.Host.PlugAsync(address);

        await Eventually.TrueAsync(
            async () =>
                (await segment.A.SeenAsync()).TryGetValue("node-b", out var seen)
                && seen.GetProperty("url").GetString() == $"http://{address}:8071",
            30
        );
        await Eventually.TrueAsync(() => SeesAsync(segment.B, "node-a", "udp", "mdns", "ssdp"), 30);
        await segment.OneClusterAsync("node-a", "node-b");
        await Eventually.TrueAsync(
            async () =>
                (await segment.A.ClusterAsync()) is { } cluster
                && cluster
                    .GetProperty("nodes")
                    .EnumerateArray()
                    .Any(node =>
                        node.GetProperty("node_id").GetString() == "node-b"
                        && node.GetProperty("url").GetString() == $"http://{address}:8071"
                    ),
            30
        );
        Assert.False(segment.B.Discovery!.HasEnded || segment.B.Coordinator!.HasEnded);
    }

    [Fact]
    public async Task A_host_with_another_key_is_seen_and_never_joined_nor_taken_for_the_one_that_had_its_name()
    {
        using (var rightful = new GalaxyNode(segment.D))
        {
            rightful.Start();
            await Eventually.TrueAsync(() => SeesAsync(segment.A, "node-d", "udp", "mdns", "ssdp", "registry"));
            await Task.WhenAll(rightful.Coordinator!.KillAsync(), rightful.Discovery!.KillAsync());
            await Eventually.TrueAsync(async () => !await SeesAsync(segment.A, "node-d"), KilledWithin);
        }

        // Of the same cluster by name, with a store of its own.
        await using var store = GalaxyNode.StartStore(segment.D);
        using var stranger = new GalaxyNode(segment.D, key: "another-key-0123456789", store: "127.0.0.1:6379");
        stranger.Start();

        var last = "never seen";
        await Eventually.TrueAsync(
            async () =>
                (await segment.A.SeenAsync()).TryGetValue("node-d", out var seen)
                && (last = seen.ToString()).Length > 0
                && seen.TryGetProperty("distrust", out var why)
                && why.GetString() == "wrong key"
                && seen.GetProperty("roads") is var roads
                && new[] { "udp", "mdns", "ssdp" }.All(road => roads.TryGetProperty(road, out _)),
            also: () => last
        );

        await Task.WhenAll(stranger.Coordinator!.StopAsync(), stranger.Discovery!.StopAsync());
        // Its goodbye is signed with the wrong key, and counts for the roads where anybody may say goodbye.
        await segment.OneClusterAsync("node-a", "node-b");
    }
}
