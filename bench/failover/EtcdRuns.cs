using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Galaxy.Bench.Failover;

/// <summary>etcd, three members, default timings; a put through any member that takes it.</summary>
internal sealed class EtcdRuns : IAsyncDisposable
{
    private const int FirstPort = 26_379;

    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-etcd-").FullName;
    private readonly List<PeerProcess> _members = [];
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };
    private int _writes;

    private static string Client(int member) => $"http://127.0.0.1:{FirstPort + member * 10}";

    private static string Peer(int member) => $"http://127.0.0.1:{FirstPort + member * 10 + 1}";

    public static async Task<EtcdRuns> StartAsync()
    {
        var runs = new EtcdRuns();
        var cluster = string.Join(',', Enumerable.Range(0, 3).Select(i => $"m{i}={Peer(i)}"));
        for (var i = 0; i < 3; i++)
        {
            var member = i;
            runs._members.Add(
                new PeerProcess("etcd", () =>
                    [
                        "--name",
                        $"m{member}",
                        "--data-dir",
                        Path.Combine(runs._data, $"m{member}"),
                        "--listen-client-urls",
                        Client(member),
                        "--advertise-client-urls",
                        Client(member),
                        "--listen-peer-urls",
                        Peer(member),
                        "--initial-advertise-peer-urls",
                        Peer(member),
                        "--initial-cluster",
                        cluster,
                        "--initial-cluster-state",
                        "new",
                        "--log-level",
                        "error",
                    ]
                )
            );
            runs._members[^1].Start();
        }
        await runs.SettledAsync();
        return runs;
    }

    public Task<TimeSpan> KillAsync() => RunAsync(PeerProcess.Kill);

    public Task<TimeSpan> PauseAsync() => RunAsync(PeerProcess.Stop);

    public Task<TimeSpan> TerminateAsync() => RunAsync(PeerProcess.Terminate);

    private async Task<TimeSpan> RunAsync(int signal)
    {
        var leader = await SettledAsync();
        var others = Enumerable.Range(0, 3).Where(i => i != leader).ToArray();
        var next = 0;
        var took = await FirstWrite.AfterAsync(
            () =>
            {
                _members[leader].Signal(signal);
                return Task.CompletedTask;
            },
            async cancellation =>
            {
                var member = others[Interlocked.Increment(ref next) % others.Length];
                var put = new { key = Text("k"), value = Text($"{Interlocked.Increment(ref _writes)}") };
                using var answer = await _http.PostAsJsonAsync($"{Client(member)}/v3/kv/put", put, cancellation);
                return answer.IsSuccessStatusCode;
            }
        );
        if (signal == PeerProcess.Stop)
            _members[leader].Signal(PeerProcess.Continue);
        else
            await _members[leader].RestartAsync();
        return took;
    }

    /// <summary>The leader, once all three agree on it.</summary>
    private async Task<int> SettledAsync()
    {
        var leader = -1;
        await FirstWrite.UntilAsync("etcd has a leader and three members", async () =>
        {
            var status = await Task.WhenAll(Enumerable.Range(0, 3).Select(StatusAsync));
            leader = Array.FindIndex(status, s => s.Leader == s.Member && s.Leader != 0);
            return leader >= 0 && status.All(s => s.Leader == status[leader].Member);
        });
        await Task.Delay(Random.Shared.Next(1000, 2000));
        return leader;
    }

    private async Task<(ulong Member, ulong Leader)> StatusAsync(int member)
    {
        using var answer = await _http.PostAsync(
            $"{Client(member)}/v3/maintenance/status",
            new StringContent("{}", Encoding.UTF8, "application/json")
        );
        var status = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return (
            Number(status.GetProperty("header").GetProperty("member_id")),
            status.TryGetProperty("leader", out var leader) ? Number(leader) : 0
        );
    }

    private static ulong Number(JsonElement text) =>
        ulong.Parse(text.GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    private static string Text(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
            await member.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
