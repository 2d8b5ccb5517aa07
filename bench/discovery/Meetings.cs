using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Galaxy.Hosts;

namespace Galaxy.Bench.Discovery;

/// <summary>Hosts that come, go and come back.</summary>
internal static class Meetings
{
    private static readonly string[] Roads = ["udp", "mdns", "ssdp", "registry"];

    /// <summary>
    /// Host a is up. On host b discovery starts, beside a coordinator that is up; and then both, with a look at when
    /// they are one cluster. Times are from the start of the process, so they hold the start of the runtime.
    /// </summary>
    public static async Task<object> StartsAsync(int runs)
    {
        Console.WriteLine($"Starts: {runs} times");
        await using var network = await HostNetwork.CreateAsync(2);
        var (a, b) = await PairAsync(network);
        using var _a = a;
        using var _b = b;
        await using var here = new Watching(a, b.NodeId);
        await using var there = new Watching(b, a.NodeId);
        var table = new TimeTable();
        for (var run = 0; run < runs; run++)
        {
            b.StartCoordinator();
            // It follows the leader by the store; whom to gossip with it learns from discovery.
            await Wait.ForAsync("b's coordinator follows", async () => View(await b.ClusterAsync()) is not null);
            var started = Stopwatch.GetTimestamp();
            here.Forget();
            there.Forget();
            b.StartDiscovery();
            foreach (var road in Roads)
            {
                table.Add($"discovery starts on b: a sees b by {road}", await here.UntilAsync(started, road));
                table.Add($"discovery starts on b: b sees a by {road}", await there.UntilAsync(started, road));
            }
            await b.Discovery!.StopAsync();
            await b.Coordinator!.StopAsync();
            await LostAsync(a, b);

            started = Stopwatch.GetTimestamp();
            here.Forget();
            b.Start();
            await OneClusterAsync(a, b);
            table.Add(
                "both start on b: one cluster with one leader",
                Stopwatch.GetElapsedTime(started).TotalMilliseconds
            );
            foreach (var road in Roads)
                table.Add($"both start on b: a sees b by {road}", await here.UntilAsync(started, road));
            await Task.WhenAll(b.Discovery!.StopAsync(), b.Coordinator!.StopAsync());
            await LostAsync(a, b);
            Console.Write('.');
        }
        Console.WriteLine();
        Console.WriteLine(Times.Table(table.Rows));
        return new { starts = table.Rows };
    }

    /// <summary>Host b leaves, by SIGTERM and by kill -9, and hosts a and c look on.</summary>
    public static async Task<object> LeavingAsync(int runs)
    {
        Console.WriteLine($"Leaving: {runs} times each");
        await using var network = await HostNetwork.CreateAsync(3);
        var (a, b) = await PairAsync(network);
        using var _a = a;
        using var _b = b;
        using var c = new GalaxyNode(network[2]);
        c.Start();
        await using var here = new Watching(a, b.NodeId);
        await using var there = new Watching(c, b.NodeId);
        var table = new TimeTable();
        for (var run = 0; run < 2 * runs; run++)
        {
            var killed = run % 2 == 1;
            b.Start();
            await Wait.ForAsync("a and c see b on all roads", async () =>
                await SeesAllAsync(a, b) && await SeesAllAsync(c, b)
            );
            await OneClusterAsync(a, b);
            here.Forget();
            there.Forget();
            var started = Stopwatch.GetTimestamp();
            Task[] ends = killed
                ? [b.Discovery!.KillAsync(), b.Coordinator!.KillAsync()]
                : [b.Discovery!.StopAsync(), b.Coordinator!.StopAsync()];
            var kind = killed ? "kill -9" : "SIGTERM";
            table.Add(
                $"{kind}: last of a and c has lost b",
                Math.Max(await here.UntilAsync(started, "lost"), await there.UntilAsync(started, "lost"))
            );
            await Task.WhenAll(ends);
            await LostAsync(a, b);
            Console.Write('.');
        }
        Console.WriteLine();
        Console.WriteLine(Times.Table(table.Rows));
        return new { leaving = table.Rows };
    }

    /// <summary>
    /// Host b's cable is pulled until a has lost it, and plugged in again where another address is given out.
    /// </summary>
    public static async Task<object> ReplugAsync(int runs)
    {
        Console.WriteLine($"Replug: {runs} times");
        await using var network = await HostNetwork.CreateAsync(2);
        var (a, b) = await PairAsync(network);
        using var _a = a;
        using var _b = b;
        b.Start();
        await Wait.ForAsync("a and b see each other on all roads", async () =>
            await SeesAllAsync(a, b) && await SeesAllAsync(b, a)
        );
        await using var here = new Watching(a, b.NodeId);
        await using var there = new Watching(b, a.NodeId);
        var table = new TimeTable();
        for (var run = 0; run < runs; run++)
        {
            here.Forget();
            there.Forget();
            await b.Host.UnplugAsync();
            await here.UntilAsync(0, "lost");
            await there.UntilAsync(0, "lost");
            here.Forget();
            there.Forget();
            var started = Stopwatch.GetTimestamp();
            var address = new IPAddress([10, 88, 1, (byte)(run + 1)]);
            await b.Host.PlugAsync(address);
            table.Add("a has found b", await here.UntilAsync(started, "found"));
            table.Add("b has found a", await there.UntilAsync(started, "found"));
            await Wait.ForAsync("the new address", async () =>
                (await a.SeenAsync()).TryGetValue(b.NodeId, out var seen)
                && seen.GetProperty("url").GetString()!.Contains($"{address}:", StringComparison.Ordinal)
            );
            table.Add("a knows b's new address", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            await OneClusterAsync(a, b, $"{address}");
            table.Add("one cluster again, with the new address", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (b.Discovery!.HasEnded || b.Coordinator!.HasEnded)
                throw new InvalidOperationException("something on b ended");
            Console.Write('.');
        }
        Console.WriteLine();
        Console.WriteLine(Times.Table(table.Rows));
        return new { replug = table.Rows };
    }

    /// <summary>Host a is up and leads; host b is not started.</summary>
    private static async Task<(GalaxyNode A, GalaxyNode B)> PairAsync(HostNetwork network)
    {
        GalaxyNode.StartStore(network[0]);
        var (a, b) = (new GalaxyNode(network[0]), new GalaxyNode(network[1]));
        a.Start();
        await Wait.ForAsync("a leads", async () => View(await a.ClusterAsync()) is not null);
        await Wait.ForAsync("a's discovery is up", async () => await a.RoadAsync("udp") is not null);
        return (a, b);
    }

    private static async Task<bool> SeesAllAsync(GalaxyNode by, GalaxyNode of) =>
        (await by.SeenAsync()).TryGetValue(of.NodeId, out var seen)
        && Roads.All(road => seen.GetProperty("roads").TryGetProperty(road, out _));

    private static Task OneClusterAsync(GalaxyNode a, GalaxyNode b, string address = "") =>
        Wait.ForAsync("one cluster", async () =>
            View(await a.ClusterAsync()) is { } here
            && here == View(await b.ClusterAsync())
            && here.Alive.Contains(a.NodeId, StringComparison.Ordinal)
            && here.Alive.Contains(b.NodeId, StringComparison.Ordinal)
            && here.Alive.Contains(address, StringComparison.Ordinal)
        );

    private static Task LostAsync(GalaxyNode a, GalaxyNode b) =>
        Wait.ForAsync("a has lost b", async () =>
            !(await a.SeenAsync()).ContainsKey(b.NodeId)
            && View(await a.ClusterAsync()) is { } view
            && !view.Alive.Contains(b.NodeId, StringComparison.Ordinal)
        );

    private static (string Leader, string Alive)? View(JsonElement? cluster) =>
        cluster is { } known
        && known.TryGetProperty("leader", out var leader)
        && leader.ValueKind == JsonValueKind.Object
            ? (
                leader.GetProperty("node_id").GetString()!,
                string.Join(
                    ',',
                    known
                        .GetProperty("nodes")
                        .EnumerateArray()
                        .Where(node => node.GetProperty("state").GetString() == "alive")
                        .Select(node =>
                            $"{node.GetProperty("node_id").GetString()}@{node.GetProperty("url").GetString()}"
                        )
                        .Order()
                )
            )
            : null;
}
