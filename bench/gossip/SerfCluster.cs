using System.Diagnostics;

namespace Galaxy.Bench.Gossip;

/// <summary>Five Serf agents with the default LAN profile. A write is a user event, or a tag of an agent.</summary>
internal sealed class SerfCluster : IAsyncDisposable
{
    private const int Nodes = 5;
    private const int FirstPort = 29200;
    private const int FirstRpc = 28200;

    private readonly List<PeerProcess> _processes = [];
    private readonly List<SerfRpc> _agents = [];

    public static string Ports => $"{FirstPort}:{FirstPort + Nodes - 1}";

    public Arrivals Arrivals { get; } = new(Nodes);

    public static async Task<SerfCluster> StartAsync()
    {
        var cluster = new SerfCluster();
        for (var i = 0; i < Nodes; i++)
        {
            string[] join = i == 0 ? [] : [$"-retry-join=127.0.0.1:{FirstPort}", "-retry-interval=1s"];
            string[] arguments =
            [
                "agent",
                $"-node=node-{i}",
                $"-bind=127.0.0.1:{FirstPort + i}",
                $"-rpc-addr=127.0.0.1:{FirstRpc + i}",
                "-profile=lan",
                .. join,
            ];
            var process = new PeerProcess("serf", () => arguments);
            process.Start();
            cluster._processes.Add(process);
            cluster._agents.Add(await SerfRpc.ConnectAsync(FirstRpc + i));
        }
        var deadline = DateTimeOffset.UtcNow.AddSeconds(60);
        while ((await cluster.AliveAsync()).Any(alive => alive != Nodes))
        {
            if (DateTimeOffset.UtcNow > deadline)
                throw new InvalidOperationException("five Serf agents were not one cluster within 60 s");
            await Task.Delay(100);
        }
        for (var i = 0; i < Nodes; i++)
        {
            var node = i;
            await cluster._agents[i].StreamAsync("user", heard => cluster.Arrivals.Seen((string)heard["Name"], node));
        }
        return cluster;
    }

    private async Task<int[]> AliveAsync() =>
        await Task.WhenAll(
            _agents.Select(async agent =>
                Members(await agent.CallAsync("members", [], answers: true))
                    .Count(member => (string)member["Status"] == "alive")
            )
        );

    private static IEnumerable<Dictionary<object, object>> Members(Dictionary<object, object> answer) =>
        ((object[])answer["Members"]).Cast<Dictionary<object, object>>();

    public Task WriteAsync(int node, string name)
    {
        Arrivals.Sending(name);
        return _agents[node]
            .CallAsync(
                "event",
                new()
                {
                    ["Name"] = name,
                    ["Payload"] = "written",
                    ["Coalesce"] = false,
                }
            );
    }

    /// <summary>
    /// Sets a tag on an agent; milliseconds until every agent shows it. Looks every 5 ms, as tag events are gathered
    /// for seconds.
    /// </summary>
    public async Task<double> TagAsync(int node, string value)
    {
        var began = Stopwatch.GetTimestamp();
        await _agents[node]
            .CallAsync(
                "tags",
                new()
                {
                    ["Tags"] = new Dictionary<object, object> { ["bench"] = value },
                    ["DeleteTags"] = Array.Empty<object>(),
                }
            );
        while (true)
        {
            var shown = await Task.WhenAll(
                _agents.Select(async agent =>
                    Members(await agent.CallAsync("members", [], answers: true))
                        .Any(member =>
                            (string)member["Name"] == $"node-{node}"
                            && ((Dictionary<object, object>)member["Tags"]).GetValueOrDefault("bench") as string
                                == value
                        )
                )
            );
            if (shown.All(shows => shows))
                return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(30))
                throw new InvalidOperationException("a tag was not everywhere after 30 s");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
            await agent.DisposeAsync();
        foreach (var process in _processes)
            await process.DisposeAsync();
    }
}
