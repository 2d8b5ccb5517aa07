using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace Galaxy.Bench.Router;

/// <param name="Requests">Each second, by round.</param>
internal sealed record HttpResult(string Name, IReadOnlyList<double> Requests)
{
    public double Median => Requests.Order().ElementAt(Requests.Count / 2);
}

/// <summary>
/// A store, a coordinator and a router with services in its table, beside a process with an empty endpoint; both asked
/// by wrk in turns.
/// </summary>
internal sealed partial class RouteOverHttp : IAsyncDisposable
{
    private const string Key = "gx-bench-key-0123456789";
    private const int StorePort = 27480,
        CoordinatorPort = 28210,
        GrpcPort = 29210,
        RouterPort = 28211,
        EmptyPort = 28212;

    private readonly List<PeerProcess> _processes = [];
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
    private readonly HttpClient _http = new()
    {
        BaseAddress = new Uri($"http://127.0.0.1:{RouterPort}"),
        Timeout = TimeSpan.FromSeconds(5),
    };

    public async Task<IReadOnlyList<HttpResult>> MeasureAsync(int services, int rounds, int seconds)
    {
        Start(Ours("Galaxy.Store"), [], "--port", $"{StorePort}", "--data", Path.Combine(_data, "store"));
        var common = new Dictionary<string, string>
        {
            ["GALAXY_API_KEY"] = Key,
            ["GALAXY_BIND"] = "127.0.0.1",
            ["GALAXY_COORDINATORS"] = $"http://127.0.0.1:{GrpcPort}",
        };
        Start(
            Ours("Galaxy.Coordinator"),
            new(common)
            {
                ["Galaxy_NODE_ID"] = "node-a",
                ["GALAXY_DATA"] = Path.Combine(_data, "node-a"),
                ["HTTP_PORT"] = $"{CoordinatorPort}",
                ["GRPC_PORT"] = $"{GrpcPort}",
                ["ConnectionStrings__redis"] = $"127.0.0.1:{StorePort}",
            }
        );
        Start(Ours("Galaxy.Router"), new(common) { ["Galaxy_NODE_ID"] = "router-a", ["HTTP_PORT"] = $"{RouterPort}" });
        Start("dotnet", [], typeof(RouteOverHttp).Assembly.Location, "empty", $"{EmptyPort}");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        // Their health is asked for every 30 s; the empty endpoint answers for all of them.
        for (var i = 0; i < services; i++)
            await UntilAsync(() =>
                _http.PostAsJsonAsync(
                    "/register",
                    new
                    {
                        node_id = $"service-{i:000}",
                        url = $"http://127.0.0.1:{EmptyPort}",
                        capabilities = new[] { "work" },
                        load = i % 10 / 10.0,
                        ttl_seconds = 3600,
                    }
                )
            );
        await UntilAsync(() => _http.GetAsync("/route/work"));

        (string Name, string[] Arguments)[] asked =
        [
            ("empty endpoint", [$"http://127.0.0.1:{EmptyPort}/empty"]),
            ("the same answer, no decision", [$"http://127.0.0.1:{EmptyPort}/same"]),
            ("/route", ["-H", $"Authorization: Bearer {Key}", $"http://127.0.0.1:{RouterPort}/route/work"]),
            (
                "/route sticky",
                ["-H", $"Authorization: Bearer {Key}", $"http://127.0.0.1:{RouterPort}/route/work?key=user-1"]
            ),
        ];
        foreach (var (_, arguments) in asked)
            await AskAsync(seconds, arguments);
        var counts = asked.ToDictionary(one => one.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, arguments) in asked)
                counts[name].Add(await AskAsync(seconds, arguments));
            Console.WriteLine(
                $"  round {round + 1}: {string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value[^1]:N0}/s"))}"
            );
        }
        return [.. counts.Select(pair => new HttpResult(pair.Key, pair.Value))];
    }

    private static async Task<double> AskAsync(int seconds, string[] arguments)
    {
        await using var wrk = new PeerProcess("wrk", () => ["-t", "1", "-c", "64", "-d", $"{seconds}s", .. arguments]);
        wrk.Start();
        var deadline = DateTimeOffset.UtcNow.AddSeconds(seconds + 20);
        while (DateTimeOffset.UtcNow < deadline)
        {
            if (wrk.Lines.Select(line => Rate().Match(line)).FirstOrDefault(match => match.Success) is { } match)
            {
                if (wrk.Lines.FirstOrDefault(line => line.Contains("Non-2xx", StringComparison.Ordinal)) is { } bad)
                    throw new InvalidOperationException(bad);
                return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            }
            await Task.Delay(50);
        }
        throw new TimeoutException("wrk said nothing: " + string.Join('\n', wrk.Lines));
    }

    private static async Task UntilAsync(Func<Task<HttpResponseMessage>> ask)
    {
        for (var deadline = DateTimeOffset.UtcNow.AddSeconds(60); ; await Task.Delay(50))
        {
            try
            {
                using var answer = await ask();
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException) when (DateTimeOffset.UtcNow < deadline)
            {
                // Not there yet.
            }
            if (DateTimeOffset.UtcNow > deadline)
                throw new TimeoutException("the router did not serve within 60 s");
        }
    }

    private static string Ours(string project) =>
        Path.Combine(Environment.CurrentDirectory, project, "bin", "Release", "net10.0", project);

    private void Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var process = new PeerProcess(program, () => arguments, environment);
        process.Start();
        _processes.Add(process);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}
