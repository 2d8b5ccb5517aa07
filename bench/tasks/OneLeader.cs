using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Galaxy.Bench.Tasks;

/// <summary>One coordinator and its store.</summary>
internal sealed class OneLeader : IAsyncDisposable
{
    public const string Key = "gx-bench-key-0123456789";
    private const int HttpPort = 28200,
        GrpcPort = 29200,
        StorePort = 27479;

    private readonly List<PeerProcess> _processes = [];
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;

    public HttpClient Http { get; } =
        new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{HttpPort}"),
            Timeout = TimeSpan.FromSeconds(60),
        };

    public static Uri Sockets => new($"ws://127.0.0.1:{HttpPort}");

    private static string StoreAddress => $"127.0.0.1:{StorePort}";

    public PeerProcess Coordinator => _processes[^1];

    /// <param name="store"><c>galaxy</c>: the embedded one, on disk; <c>redis</c>: redis-server, appendfsync everysec;
    /// <c>memory</c>: redis-server without a log.</param>
    public static async Task<OneLeader> StartAsync(string store)
    {
        var leader = new OneLeader();
        var folder = Path.Combine(leader._data, "store");
        Directory.CreateDirectory(folder);
        if (store == "galaxy")
            leader.Start(Ours("Galaxy.Store"), [], "--port", $"{StorePort}", "--data", folder);
        else
            leader.Start(
                "redis-server",
                [],
                "--port",
                $"{StorePort}",
                "--save",
                "",
                "--dir",
                folder,
                "--appendonly",
                store == "redis" ? "yes" : "no",
                "--appendfsync",
                "everysec"
            );
        leader.Start(
            Ours("Galaxy.Coordinator"),
            new Dictionary<string, string>
            {
                ["Galaxy_NODE_ID"] = "node-a",
                ["GALAXY_API_KEY"] = Key,
                ["GALAXY_BIND"] = "127.0.0.1",
                ["GALAXY_DATA"] = Path.Combine(leader._data, "node-a"),
                ["HTTP_PORT"] = $"{HttpPort}",
                ["GRPC_PORT"] = $"{GrpcPort}",
                ["ConnectionStrings__redis"] = StoreAddress,
                ["Logging__LogLevel__Default"] = "Information",
            }
        );
        leader.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        var deadline = DateTimeOffset.UtcNow.AddSeconds(60);
        while (!await leader.LeadsAsync())
        {
            if (DateTimeOffset.UtcNow > deadline)
                throw new TimeoutException("the coordinator did not lead within 60 s");
            await Task.Delay(100);
        }
        return leader;
    }

    private static string Ours(string project) =>
        Path.Combine(Environment.CurrentDirectory, project, "bin", "Release", "net10.0", project);

    private void Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var process = new PeerProcess(program, () => arguments, environment);
        process.Start();
        _processes.Add(process);
    }

    private async Task<bool> LeadsAsync()
    {
        try
        {
            return (await Http.GetFromJsonAsync<JsonElement>("/api/v1/cluster")).TryGetProperty(
                    "leader",
                    out var leader
                )
                && leader.ValueKind == JsonValueKind.Object;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public static async Task<List<BenchWorker>> WorkersAsync(
        int count,
        int slots,
        Seen seen,
        CancellationToken cancellation
    )
    {
        var workers = Enumerable
            .Range(0, count)
            .Select(i => new BenchWorker(Sockets, Key, $"w{i}", slots, seen))
            .ToList();
        await Parallel.ForEachAsync(
            workers,
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation },
            async (worker, stop) => await worker.StartAsync(cancellation)
        );
        return workers;
    }

    /// <summary>Of the coordinator, in KiB.</summary>
    public (double Resident, double Private) Memory
    {
        get
        {
            var lines = File.ReadAllLines($"/proc/{Coordinator.Id}/smaps_rollup");
            double Read(string name) =>
                double.Parse(
                    lines
                        .First(line => line.StartsWith(name, StringComparison.Ordinal))
                        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
                    CultureInfo.InvariantCulture
                );
            return (Read("Rss:"), Read("Private_Dirty:"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
