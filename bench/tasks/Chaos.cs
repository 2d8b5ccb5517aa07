using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.LocalHosting;

namespace Galaxy.Bench.Tasks;

/// <param name="Submitted">Answered with 201: durable.</param>
/// <param name="Lost">Of these, not there at the end, or not over.</param>
/// <param name="Doubled">Recorded with a result other than that of the attempt that ended it.</param>
internal sealed record ChaosResult(
    string Store,
    int Submitted,
    int Completed,
    int Failed,
    int Lost,
    int Doubled,
    int Repeated,
    int Kills,
    int StoreKills,
    double Seconds
)
{
    public bool IsClean => Lost == 0 && Doubled == 0 && Failed == 0;
}

/// <summary>
/// The whole local system under load, while leaders, workers or the store are killed; the history is compared at the
/// end.
/// </summary>
internal static class Chaos
{
    private const int Workers = 20;
    private const int RedisPort = 27481;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task<ChaosResult> RunAsync(string store, int tasks, int kills, int storeKills)
    {
        var data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
        string[] free =
        [
            "--WEB_UI_PORT",
            "0",
            "--API_PORT",
            "0",
            "--WEBSOCKET_PORT",
            "0",
            "--OTLP_GRPC_PORT",
            "0",
            "--OTLP_HTTP_PORT",
            "0",
            "--NODE71_BROADCAST_PORT",
            "47023",
        ];
        // The runner's own redis-server writes each command to the disk; this one as most are set up.
        await using var redis = new PeerProcess("redis-server", () =>
            ["--port", $"{RedisPort}", "--save", "", "--dir", data, "--appendonly", "yes", "--appendfsync", "everysec"]
        );
        if (store == "redis")
            redis.Start();
        string[] which = store == "redis" ? ["--redis", $"127.0.0.1:{RedisPort}"] : [];
        await using var host = await LocalCluster.StartAsync(
            ["--GALAXY_DATA", data, .. free, .. which],
            TimeSpan.FromSeconds(120)
        );
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 })
        {
            BaseAddress = host.Url("gateway", "api"),
            Timeout = TimeSpan.FromSeconds(30),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.Key);
        using var end = new CancellationTokenSource();
        var executions = new ConcurrentDictionary<string, int>();
        var crowd = Enumerable
            .Range(0, Workers)
            .Select(i => ChaosWorker.RunAsync(host.Url("gateway", "ws"), host.Key, $"chaos-{i}", executions, end.Token))
            .ToList();
        var started = Stopwatch.GetTimestamp();
        var submitted = new ConcurrentDictionary<string, byte>();
        var killing = KillAsync(host, redis, http, kills, storeKills, () => (double)submitted.Count / tasks);

        await Parallel.ForEachAsync(
            Enumerable.Range(0, tasks / 50),
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (number, stop) =>
            {
                var batch = Enumerable
                    .Range(0, 50)
                    .Select(i => new
                    {
                        action = "chaos",
                        @params = new { n = number * 50 + i },
                        max_attempts = 20,
                        timeout_seconds = 60,
                    })
                    .ToArray();
                while (true)
                {
                    try
                    {
                        using var answer = await http.PostAsJsonAsync("/api/v1/tasks/batch", batch, stop);
                        if (answer.StatusCode == HttpStatusCode.Created)
                        {
                            foreach (
                                var task in (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).EnumerateArray()
                            )
                                submitted[task.GetProperty("task_id").GetString()!] = 0;
                            return;
                        }
                    }
                    catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
                    {
                        // Whether it was written is unknown; more tasks than counted may run.
                    }
                    await Task.Delay(50, stop);
                }
            }
        );
        var killed = await killing;
        Console.WriteLine(
            $"  {submitted.Count} submitted, {executions.Count} executed so far, after "
                + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"
        );
        var result = await CompareAsync(http, submitted.Keys, started);
        await end.CancelAsync();
        await Task.WhenAll(crowd);
        return result with
        {
            Store = store,
            Kills = killed.Leaders,
            StoreKills = killed.Stores,
            Repeated = executions.Values.Count(count => count > 1),
        };
    }

    private static async Task<(int Leaders, int Stores)> KillAsync(
        LocalCluster host,
        PeerProcess redis,
        HttpClient http,
        int kills,
        int storeKills,
        Func<double> progress
    )
    {
        var random = new Random(1);
        var (leaders, stores) = (0, 0);
        var total = kills + storeKills;
        for (var i = 0; i < total; i++)
        {
            var at = (i + 0.2 + random.NextDouble() * 0.6) / total;
            while (progress() < at && progress() < 1)
                await Task.Delay(10);
            if (i < kills)
            {
                if (await LeaderAsync(http) is not { } leader)
                {
                    i--;
                    await Task.Delay(100);
                    continue;
                }
                host.Kill(leader);
                leaders++;
                await Task.Delay(300);
            }
            else
            {
                redis.Signal(PeerProcess.Kill);
                await Task.Delay(1000);
                await redis.RestartAsync();
                stores++;
            }
        }
        return (leaders, stores);
    }

    private static async Task<string?> LeaderAsync(HttpClient http)
    {
        try
        {
            var cluster = await http.GetFromJsonAsync<JsonElement>("/api/v1/cluster");
            return
                cluster
                    .GetProperty("nodes")
                    .EnumerateArray()
                    .Count(node => node.GetProperty("state").GetString() == "alive") > 1
                && cluster.TryGetProperty("leader", out var leader)
                && leader.ValueKind == JsonValueKind.Object
                ? leader.GetProperty("node_id").GetString()
                : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    private static async Task<ChaosResult> CompareAsync(HttpClient http, ICollection<string> submitted, long started)
    {
        var open = submitted.ToHashSet();
        var (completed, failed, doubled, missing) = (0, 0, 0, 0);
        var deadline = Stopwatch.GetTimestamp();
        var finished = TimeSpan.Zero;
        while (open.Count > 0 && Stopwatch.GetElapsedTime(deadline) < Patience)
        {
            var over = new ConcurrentBag<string>();
            await Parallel.ForEachAsync(
                open.ToList(),
                new ParallelOptions { MaxDegreeOfParallelism = 16 },
                async (id, stop) =>
                {
                    try
                    {
                        using var answer = await http.GetAsync("/api/v1/tasks/" + id, stop);
                        if (answer.StatusCode == HttpStatusCode.NotFound)
                        {
                            Interlocked.Increment(ref missing);
                            over.Add(id);
                            return;
                        }
                        if (!answer.IsSuccessStatusCode)
                            return;
                        var task = await answer.Content.ReadFromJsonAsync<JsonElement>(stop);
                        var state = task.GetProperty("state").GetString();
                        if (state is "completed")
                        {
                            Interlocked.Increment(ref completed);
                            if (
                                task.GetProperty("result").GetProperty("attempt").GetString()
                                != task.GetProperty("attempt_id").GetString()
                            )
                                Interlocked.Increment(ref doubled);
                            over.Add(id);
                        }
                        else if (state is "failed" or "timeout" or "cancelled")
                        {
                            Interlocked.Increment(ref failed);
                            over.Add(id);
                        }
                    }
                    catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
                    {
                        // Asked again.
                    }
                }
            );
            open.ExceptWith(over);
            finished = Stopwatch.GetElapsedTime(started);
            if (open.Count > 0)
                await Task.Delay(500);
        }
        return new ChaosResult(
            "",
            submitted.Count,
            completed,
            failed,
            open.Count + missing,
            doubled,
            0,
            0,
            0,
            finished.TotalSeconds
        );
    }
}
