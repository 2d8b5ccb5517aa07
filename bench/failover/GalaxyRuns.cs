using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Bench.Failover;

/// <summary>
/// The whole local system, as a person starts it, with its default settings; writes go through the gateway.
/// </summary>
internal sealed class GalaxyRuns : IAsyncDisposable
{
    /// <summary>A run that took longer is shown with what the coordinators said.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(400);

    private readonly ISystem _host;
    private readonly HttpClient _http;
    private readonly string _data;
    private readonly HashSet<int?> _ended = [];

    private GalaxyRuns(ISystem host, string data)
    {
        (_host, _data) = (host, data);
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 })
        {
            BaseAddress = host.Url("gateway", "api"),
            Timeout = TimeSpan.FromSeconds(10),
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.Key);
    }

    /// <param name="onAspire">Whether the AppHost runs the processes, or the supervisor.</param>
    public static async Task<GalaxyRuns> StartAsync(bool onAspire, bool showTraces, params string[] options)
    {
        var data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
        string[] arguments = ["--GALAXY_DATA", data, "--ports", "any", "--NODE71_BROADCAST_PORT", "47022", .. options];
        ISystem host = onAspire
            ? await AspireHost.StartAsync(arguments, data)
            : new SupervisedHost(await LocalCluster.StartAsync(arguments, TimeSpan.FromSeconds(120)));
        var runs = new GalaxyRuns(host, data) { ShowTraces = showTraces };
        await runs.SettledAsync();
        return runs;
    }

    public Task<TimeSpan> KillAsync() =>
        RunAsync(leader =>
        {
            _ended.Add(_host.ProcessId(leader.NodeId));
            _host.Kill(leader.NodeId);
            return Task.CompletedTask;
        });

    public async Task<TimeSpan> PauseAsync()
    {
        var paused = "";
        var took = await RunAsync(leader =>
        {
            _host.Pause(paused = leader.NodeId);
            return Task.CompletedTask;
        });
        _host.Continue(paused);
        return took;
    }

    public async Task<TimeSpan> TerminateAsync()
    {
        var stopped = "";
        var took = await RunAsync(leader =>
        {
            _ended.Add(_host.ProcessId(leader.NodeId));
            return _host.StopAsync(stopped = leader.NodeId);
        });
        await _host.StartAsync(stopped);
        return took;
    }

    public Task<TimeSpan> ManualAsync() =>
        RunAsync(async _ =>
        {
            using var answer = await _http.PostAsJsonAsync("/api/v1/failover", new { });
            answer.EnsureSuccessStatusCode();
        });

    private async Task<TimeSpan> RunAsync(Func<LeaderResponse, Task> fault)
    {
        var old = await SettledAsync();
        var at = DateTimeOffset.UtcNow;
        var took = await FirstWrite.AfterAsync(
            () => fault(old),
            async cancellation =>
            {
                using var answer = await _http.PostAsJsonAsync(
                    "/api/v1/tasks",
                    new { action = "echo", @params = new { text = "bench" } },
                    cancellation
                );
                return answer.StatusCode == HttpStatusCode.Created
                    && (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation))
                        .GetProperty("token")
                        .GetInt64() > old.Token;
            }
        );
        if (took > Slow)
            Explain();
        if (ShowTraces)
            await ShowTraceAsync(old.Token, at);
        return took;
    }

    /// <summary>Print the trace of each failover, span by span.</summary>
    public bool ShowTraces { get; init; }

    private async Task ShowTraceAsync(long oldToken, DateTimeOffset faultAt)
    {
        await Task.Delay(TimeSpan.FromSeconds(2.5));
        var records = await _http.GetFromJsonAsync<List<FailoverRecord>>("/api/v1/failovers", GalaxyJson.Options);
        if (records!.Find(record => record.OldToken == oldToken) is not { } newest)
            return;
        var spans = await _http.GetFromJsonAsync<List<JsonElement>>("/api/v1/traces/" + newest.TraceId);
        foreach (var span in spans!)
        {
            var offset = (span.GetProperty("start").GetDateTimeOffset() - faultAt).TotalMilliseconds;
            Console.WriteLine(
                $"      {offset, 7:0.0} + {span.GetProperty("duration_ms").GetDouble(), 6:0.0} ms  "
                    + $"{span.GetProperty("service")}: {span.GetProperty("name")}"
            );
        }
    }

    private void Explain()
    {
        foreach (var name in new[] { "coordinator-a", "coordinator-b", "coordinator-c", "gateway" })
        {
            foreach (var line in _host.Output(name).TakeLast(8))
                Console.WriteLine($"      {name}: {line}");
        }
    }

    /// <summary>Three live coordinators that have been up for a moment, a leader, both workers.</summary>
    private async Task<LeaderResponse> SettledAsync()
    {
        LeaderResponse? leader = null;
        await FirstWrite.UntilAsync("the cluster is whole again", async () =>
        {
            var cluster = await _http.GetFromJsonAsync<ClusterResponse>("/api/v1/cluster", GalaxyJson.Options);
            leader = cluster!.Leader;
            return leader is not null
                && cluster.DevicesOnline == 2
                && cluster.Nodes.Count(node => node.State == "alive") == 3
                // Right after a fault neither the cluster nor the host may have noticed it.
                && !cluster.Nodes.Any(node => _ended.Contains(node.Pid))
                && cluster.Nodes.All(node =>
                    node.Pid == _host.ProcessId(node.NodeId)
                    && DateTimeOffset.UtcNow - node.StartedAt > TimeSpan.FromSeconds(4)
                );
        });
        // A random moment within the lease's rhythm.
        await Task.Delay(Random.Shared.Next(200, 1200));
        // Any coordinator answers this; only the leader itself is sure.
        var own = await _http.GetFromJsonAsync<ClusterResponse>(
            new Uri(new Uri(leader!.Url), "/api/v1/cluster"),
            GalaxyJson.Options
        );
        return own!.Leader?.Url == leader.Url ? own.Leader : await SettledAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
