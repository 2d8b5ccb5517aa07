[assembly: AssemblyFixture(typeof(Galaxy.Hosts.Tests.Segment))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Galaxy.Hosts.Tests;

/// <summary>
/// A segment with four hosts: a and b run Galaxy with one key and one cluster name, and nothing said of each other; c
/// is for other people's programs and for attackers; d is free.
/// </summary>
public sealed class Segment : IAsyncLifetime
{
    private HostNetwork? _network;
    private GalaxyNode? _a;
    private GalaxyNode? _b;

    internal HostNetwork Network => Have(_network);

    internal GalaxyNode A => Have(_a);

    internal GalaxyNode B => Have(_b);

    internal LabHost C => Network[2];

    internal LabHost D => Network[3];

    private static T Have<T>(T? value)
        where T : class
    {
        Assert.SkipWhen(HostNetwork.Missing is not null, HostNetwork.Missing ?? "");
        return value!;
    }

    public async ValueTask InitializeAsync()
    {
        if (HostNetwork.Missing is not null)
            return;
        _network = await HostNetwork.CreateAsync(4);
        GalaxyNode.StartStore(_network[0]);
        (_a, _b) = (new GalaxyNode(_network[0]), new GalaxyNode(_network[1]));
        _a.Start();
        _b.Start();
        await OneClusterAsync("node-a", "node-b");
    }

    /// <summary>Both hosts name the same leader and exactly these nodes as alive.</summary>
    internal async Task OneClusterAsync(params string[] nodes)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                var (here, there) = (await A.ClusterAsync(), await B.ClusterAsync());
                return View(here) is { } view && view == View(there) && view.Alive == string.Join(',', nodes);
            },
            60,
            () => string.Join('\n', A.Coordinator!.Output.Concat(B.Coordinator!.Output).TakeLast(40))
        );

        static (string Leader, string Alive)? View(System.Text.Json.JsonElement? cluster) =>
            cluster is { } known
            && known.TryGetProperty("leader", out var leader)
            && leader.ValueKind == System.Text.Json.JsonValueKind.Object
                ? (
                    leader.GetProperty("node_id").GetString()!,
                    string.Join(
                        ',',
                        known
                            .GetProperty("nodes")
                            .EnumerateArray()
                            .Where(node => node.GetProperty("state").GetString() == "alive")
                            .Select(node => node.GetProperty("node_id").GetString())
                            .Order()
                    )
                )
                : null;
    }

    public async ValueTask DisposeAsync()
    {
        _a?.Dispose();
        _b?.Dispose();
        if (_network is not null)
            await _network.DisposeAsync();
    }
}
