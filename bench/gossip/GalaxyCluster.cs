using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Galaxy.Bench.Gossip;

/// <summary>Five coordinators and a store, with their default settings.</summary>
internal sealed class GalaxyCluster : IAsyncDisposable
{
    private const int Nodes = 5;
    private const int FirstHttp = 28100;
    private const int FirstGrpc = 29100;
    private const int StorePort = 27379;
    private const string Key = "gx-bench-key-0123456789";

    private readonly List<PeerProcess> _processes = [];
    private readonly List<HttpClient> _clients = [];
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
    private readonly CancellationTokenSource _ends = new();
    private readonly List<Task> _watches = [];

    public static string Ports => $"{FirstGrpc}:{FirstGrpc + Nodes - 1}";

    public Arrivals Arrivals { get; } = new(Nodes);

    public static async Task<GalaxyCluster> StartAsync()
    {
        var cluster = new GalaxyCluster();
        cluster.Start("Galaxy.Store", [], "--port", $"{StorePort}", "--data", Path.Combine(cluster._data, "store"));
        var grpc = Enumerable.Range(0, Nodes).Select(i => $"http://127.0.0.1:{FirstGrpc + i}").ToList();
        for (var i = 0; i < Nodes; i++)
        {
            cluster.Start(
                "Galaxy.Coordinator",
                new Dictionary<string, string>
                {
                    ["Galaxy_NODE_ID"] = $"node-{i}",
                    ["GALAXY_API_KEY"] = Key,
                    ["GALAXY_BIND"] = "127.0.0.1",
                    ["GALAXY_DATA"] = Path.Combine(cluster._data, $"node-{i}"),
                    ["GALAXY_COORDINATORS"] = string.Join(',', grpc),
                    ["HTTP_PORT"] = $"{FirstHttp + i}",
                    ["GRPC_PORT"] = $"{FirstGrpc + i}",
                    ["ConnectionStrings__redis"] = $"127.0.0.1:{StorePort}",
                }
            );
            var client = new HttpClient
            {
                BaseAddress = new Uri($"http://127.0.0.1:{FirstHttp + i}"),
                Timeout = TimeSpan.FromSeconds(30),
            };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
            cluster._clients.Add(client);
        }
        await cluster.UntilWholeAsync(TimeSpan.FromSeconds(60));
        for (var i = 0; i < Nodes; i++)
        {
            var ready = new TaskCompletionSource();
            cluster._watches.Add(cluster.WatchAsync(i, ready));
            await ready.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }
        return cluster;
    }

    private void Start(string project, Dictionary<string, string> environment, params string[] arguments)
    {
        var program = Path.Combine(Environment.CurrentDirectory, project, "bin", "Release", "net10.0", project);
        var process = new PeerProcess(program, () => arguments, environment);
        process.Start();
        _processes.Add(process);
    }

    private async Task UntilWholeAsync(TimeSpan patience)
    {
        var deadline = DateTimeOffset.UtcNow + patience;
        while (true)
        {
            try
            {
                var views = await Task.WhenAll(_clients.Select(client => client.GetStringAsync("/api/v1/cluster")));
                if (
                    views.All(view =>
                        JsonDocument.Parse(view).RootElement is var root
                        && root.GetProperty("leader").ValueKind == JsonValueKind.Object
                        && root.GetProperty("nodes")
                            .EnumerateArray()
                            .Count(node => node.GetProperty("state").GetString() == "alive") == Nodes
                    )
                )
                    return;
            }
            catch (HttpRequestException)
            {
                // Not up yet.
            }
            if (DateTimeOffset.UtcNow > deadline)
                throw new InvalidOperationException(
                    $"five coordinators were not one cluster within {patience.TotalSeconds:0} s"
                );
            await Task.Delay(100);
        }
    }

    private async Task WatchAsync(int node, TaskCompletionSource ready)
    {
        try
        {
            using var stream = await _clients[node].GetStreamAsync("/api/v1/state/watch?ns=bench", _ends.Token);
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(_ends.Token))
            {
                if (item.EventType == "ready")
                    ready.TrySetResult();
                if (item.EventType == "change")
                    Arrivals.Seen(JsonDocument.Parse(item.Data).RootElement.GetProperty("key").GetString()!, node);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    /// <summary>Writes a key on a node.</summary>
    public async Task WriteAsync(int node, string key)
    {
        Arrivals.Sending(key);
        using var content = new StringContent($$"""{"written":"{{key}}"}""", Encoding.UTF8, "application/json");
        using var answer = await _clients[node].PutAsync("/api/v1/state/bench/" + key, content);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await Task.WhenAll(_watches);
        foreach (var client in _clients)
            client.Dispose();
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
