using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Galaxy.Hosts;

/// <summary>What discovery on a host says when something changes.</summary>
/// <param name="At">When it was heard here: a timestamp of <see cref="System.Diagnostics.Stopwatch"/>.</param>
internal sealed record Told(string Type, string NodeId, string Trust, IReadOnlyCollection<string> Roads, long At);

/// <summary>
/// A coordinator and a discovery on one host, as one starts them by hand: with nothing but a key, a cluster and where
/// the store is.
/// </summary>
internal sealed class GalaxyNode : IDisposable
{
    public const string Key = "gx-lab-key-0123456789";
    public const string StoreAddress = "10.88.0.1:6379";

    private static readonly string Configuration = AppContext.BaseDirectory.Contains(
        $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}",
        StringComparison.Ordinal
    )
        ? "Release"
        : "Debug";

    private readonly HttpClient _discovery;
    private readonly HttpClient _coordinator;

    private readonly string _key;
    private readonly string _store;

    public GalaxyNode(LabHost host, string cluster = "lab", string key = Key, string store = StoreAddress)
    {
        (Host, Cluster, _key, _store) = (host, cluster, key, store);
        NodeId = $"node-{(char)('a' + host.Index)}";
        (_discovery, _coordinator) = (host.Http("http://127.0.0.1:8037", key), host.Http("http://127.0.0.1:8071", key));
    }

    public LabHost Host { get; }

    public string Cluster { get; }

    public string NodeId { get; }

    public LabProcess? Coordinator { get; private set; }

    public LabProcess? Discovery { get; private set; }

    /// <summary>A store; that of <see cref="StoreAddress"/> when this is the first host.</summary>
    public static LabProcess StartStore(LabHost host) =>
        host.Start(
            "redis-server",
            null,
            "--port",
            "6379",
            "--bind",
            "0.0.0.0",
            "--protected-mode",
            "no",
            "--save",
            "",
            "--appendonly",
            "no"
        );

    public void Start()
    {
        StartCoordinator();
        StartDiscovery();
    }

    public void StartCoordinator() => Coordinator = Host.Start(ProgramOf("Galaxy.Coordinator"), Environment(NodeId));

    public void StartDiscovery() =>
        Discovery = Host.Start(ProgramOf("Galaxy.Discovery"), Environment($"discovery-{(char)('a' + Host.Index)}"));

    private Dictionary<string, string> Environment(string nodeId) =>
        new()
        {
            ["Galaxy_NODE_ID"] = nodeId,
            ["Galaxy_CLUSTER"] = Cluster,
            ["GALAXY_API_KEY"] = _key,
            ["GALAXY_DATA"] = Path.Combine(Host.Data, "data"),
            ["ConnectionStrings__redis"] = _store,
        };

    private static string ProgramOf(string project) => Program(project, project);

    /// <summary>A program of ours, built beside whoever starts it.</summary>
    public static string Program(string project, string name)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Galaxy.sln")))
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException("not started within the repository");
        return Path.Combine(root, project, "bin", Configuration, "net10.0", name);
    }

    /// <summary>What discovery here sees, by name of the node; empty while it does not answer.</summary>
    public async Task<IReadOnlyDictionary<string, JsonElement>> SeenAsync() =>
        await GetAsync(_discovery, "/api/v1/discovery/nodes") is { } nodes
            ? nodes.EnumerateArray().ToDictionary(node => node.GetProperty("node_id").GetString()!)
            : new Dictionary<string, JsonElement>();

    /// <summary>The state of one road; null while discovery does not answer.</summary>
    public async Task<JsonElement?> RoadAsync(string road) =>
        await GetAsync(_discovery, "/api/v1/discovery/status") is { } roads
            ? roads.EnumerateArray().Single(one => one.GetProperty("road").GetString() == road)
            : null;

    /// <summary>How many packets a road did not believe for that reason.</summary>
    public async Task<long> RejectedAsync(string road, string reason) =>
        await RoadAsync(road) is { } status && status.GetProperty("rejected").TryGetProperty(reason, out var count)
            ? count.GetInt64()
            : 0;

    /// <summary>The cluster as the coordinator here sees it; null while it does not answer.</summary>
    public Task<JsonElement?> ClusterAsync() => GetAsync(_coordinator, "/api/v1/cluster");

    private static async Task<JsonElement?> GetAsync(HttpClient http, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(await http.GetStringAsync(path));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>What discovery here says from now on. Ends when it does.</summary>
    public async IAsyncEnumerable<Told> EventsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        using var answer = await _discovery.GetAsync(
            "/api/v1/discovery/events",
            HttpCompletionOption.ResponseHeadersRead,
            cancellation
        );
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellation);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellation))
        {
            var at = System.Diagnostics.Stopwatch.GetTimestamp();
            var peer = JsonSerializer.Deserialize<JsonElement>(item.Data);
            if (peer.TryGetProperty("node_id", out var nodeId))
                yield return new Told(
                    item.EventType,
                    nodeId.GetString()!,
                    peer.GetProperty("trust").GetString()!,
                    [.. peer.GetProperty("roads").EnumerateObject().Select(road => road.Name)],
                    at
                );
        }
    }

    public void Dispose()
    {
        _discovery.Dispose();
        _coordinator.Dispose();
    }
}
