using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Http;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>A coordinator that is there before its stores, each a process of its own.</summary>
public sealed class LateStoreTests : IAsyncDisposable
{
    private const string Key = "key-of-late-stores";

    private readonly string _folder = Directory.CreateTempSubdirectory("galaxy-late-").FullName;
    private readonly List<Process> _processes = [];
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly HashSet<int> _ports = [];

    public static bool HasRedisServer => new RedisServerStore().Absent is null;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private int FreePort()
    {
        while (true)
        {
            // Below the range of outgoing connections, which might take the port while the store is awaited.
            var port = Random.Shared.Next(12_000, 20_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                if (_ports.Add(port))
                    return port;
            }
            catch (SocketException)
            {
                // Taken: try the next.
            }
        }
    }

    private Process Start(ProcessStartInfo info)
    {
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        var process = Process.Start(info)!;
        process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
        return process;
    }

    private Process StartStore(int port, params string[] more)
    {
        var data = Directory.CreateDirectory(Path.Combine(_folder, $"{port}")).FullName;
        string[] arguments = ["--bind", "127.0.0.1", "--port", $"{port}", "--dir", data, "--save", "", .. more];
        return Start(new ProcessStartInfo("redis-server", arguments));
    }

    private (Process Process, HttpClient Http) StartCoordinator(string stores)
    {
        var port = FreePort();
        var program = Path.Combine(AppContext.BaseDirectory, "Galaxy.Coordinator.dll");
        var info = new ProcessStartInfo("dotnet", ["exec", program]) { WorkingDirectory = _folder };
        foreach (
            var (name, value) in new[]
            {
                ("GALAXY_API_KEY", Key),
                ("GALAXY_BIND", "127.0.0.1"),
                ("HTTP_PORT", $"{port}"),
                ("GRPC_PORT", $"{FreePort()}"),
                ("Galaxy_NODE_ID", "early"),
                ("GALAXY_DATA", Path.Combine(_folder, "node")),
                ("GALAXY_LEASE", "local"),
                ("ConnectionStrings__redis", stores),
                ("ASPNETCORE_URLS", ""),
            }
        )
        {
            info.Environment[name] = value;
        }
        var http = InternalHttp.CreateClient(TimeSpan.FromSeconds(5), new Uri($"http://127.0.0.1:{port}"));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return (Start(info), http);
    }

    private static async Task<bool> IsAliveAsync(HttpClient http)
    {
        try
        {
            return await http.GetStringAsync("/alive") == "alive";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<(HttpStatusCode Code, string Stores)> HealthAsync(HttpClient http)
    {
        using var answer = await http.GetAsync("/health");
        var json = await answer.Content.ReadFromJsonAsync<JsonObject>();
        return (answer.StatusCode, json!["checks"]!["stores"]!["description"]!.GetValue<string>());
    }

    private static async Task<bool> LeadsAsync(HttpClient http) =>
        (await http.GetFromJsonAsync<JsonObject>("/api/v1/cluster"))!["leader"]?["node_id"]?.GetValue<string>()
        == "early";

    private static Task SaysAsync(HttpClient http, params string[] words) =>
        SaysAsync(http, HttpStatusCode.ServiceUnavailable, words);

    private static Task SaysAsync(HttpClient http, HttpStatusCode code, params string[] words) =>
        Eventually.TrueAsync(async () =>
            await HealthAsync(http) is var health
            && health.Code == code
            && words.All(word => health.Stores.Contains(word, StringComparison.Ordinal))
        );

    [Fact(
        Skip = "redis-server is not on PATH: install the package redis-server to run this test.",
        SkipUnless = nameof(HasRedisServer)
    )]
    public async Task A_coordinator_waits_for_its_store_says_so_and_leads_when_it_is_there()
    {
        var store = FreePort();
        var (process, http) = StartCoordinator($"127.0.0.1:{store}");
        using (http)
        {
            await Eventually.TrueAsync(() => IsAliveAsync(http));
            await SaysAsync(http, "The store does not answer", $"127.0.0.1:{store}", "nothing listens there");
            // What needs no store goes on meanwhile.
            using (var written = await http.PutAsJsonAsync("/api/v1/state/notes/shopping", new { value = "milk" }))
                Assert.True(written.IsSuccessStatusCode, await written.Content.ReadAsStringAsync());

            // Longer than a coordinator once waited before it ended.
            var since = Stopwatch.GetTimestamp();
            await Eventually.TrueAsync(() =>
                Task.FromResult(Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(12))
            );
            Assert.False(process.HasExited);
            Assert.False(await LeadsAsync(http));
            Assert.True(await IsAliveAsync(http));
            var said = _lines.Where(line => line.Contains(" not answer", StringComparison.Ordinal));
            Assert.Contains("ConnectionStrings__redis", Assert.Single(said), StringComparison.Ordinal);

            var first = StartStore(store);
            await Eventually.TrueAsync(() => LeadsAsync(http));
            await Eventually.TrueAsync(async () =>
                await HealthAsync(http) is (HttpStatusCode.OK, "a majority of the stores answers")
            );

            // Lost later on, it is missed just so; what needs no store is still served, and so the node is degraded
            // only.
            first.Kill();
            await SaysAsync(http, HttpStatusCode.OK, "nothing listens there");
            await Eventually.TrueAsync(async () => !await LeadsAsync(http));
            StartStore(store);
            await Eventually.TrueAsync(() => LeadsAsync(http));
            await Eventually.TrueAsync(async () =>
                await HealthAsync(http) is (HttpStatusCode.OK, "a majority of the stores answers")
            );
            Assert.False(process.HasExited);
        }
    }

    [Fact(
        Skip = "redis-server is not on PATH: install the package redis-server to run this test.",
        SkipUnless = nameof(HasRedisServer)
    )]
    public async Task Of_three_stores_two_are_waited_for_and_the_missing_ones_are_named()
    {
        int[] stores = [FreePort(), FreePort(), FreePort()];
        var (process, http) = StartCoordinator(string.Join('|', stores.Select(port => $"127.0.0.1:{port}")));
        using (http)
        {
            await Eventually.TrueAsync(() => IsAliveAsync(http));
            await SaysAsync(
                http,
                ["Of 3 stores 2 must answer, and 0 do", .. stores.Select(port => $"127.0.0.1:{port}")]
            );

            StartStore(stores[1]);
            await SaysAsync(
                http,
                "Of 3 stores 2 must answer, and 1 do",
                $"127.0.0.1:{stores[0]} (nothing listens there)",
                $"127.0.0.1:{stores[2]} (nothing listens there)"
            );
            Assert.False(await LeadsAsync(http));

            StartStore(stores[2]);
            await Eventually.TrueAsync(() => LeadsAsync(http));
            Assert.False(process.HasExited);
        }
    }

    [Fact(
        Skip = "redis-server is not on PATH: install the package redis-server to run this test.",
        SkipUnless = nameof(HasRedisServer)
    )]
    public async Task A_wrong_password_is_named_and_waited_for_until_the_store_takes_it()
    {
        var store = FreePort();
        StartStore(store, "--requirepass", "right-password");
        var (process, http) = StartCoordinator($"127.0.0.1:{store},password=wrong-password");
        using (http)
        {
            await Eventually.TrueAsync(() => IsAliveAsync(http));
            await SaysAsync(http, $"127.0.0.1:{store} (it refuses the password");
            Assert.DoesNotContain(_lines, line => line.Contains("wrong-password", StringComparison.Ordinal));

            await using (
                var redis = await ConnectionMultiplexer.ConnectAsync(
                    $"127.0.0.1:{store},password=right-password,allowAdmin=true"
                )
            )
                await redis.GetDatabase().ExecuteAsync("CONFIG", "SET", "requirepass", "wrong-password");
            await Eventually.TrueAsync(() => LeadsAsync(http));
            Assert.False(process.HasExited);
        }
    }
}
