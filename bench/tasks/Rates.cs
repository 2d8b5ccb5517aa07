using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using StackExchange.Redis;

namespace Galaxy.Bench.Tasks;

internal sealed record RateResult(string System, string Store, int Workers, int Tasks, double TasksPerSecond);

internal sealed record LatencyResult(
    string Store,
    int Workers,
    double Rate,
    int Tasks,
    double P50,
    double P99,
    double Max
);

/// <summary>
/// Tasks a second from the first submission to the last recorded result, and the time to dispatch at a fixed rate.
/// </summary>
internal static class Rates
{
    private const int InBatch = 100;
    private const int Submitters = 8;

    public static async Task<RateResult> GalaxyAsync(string store, int workers, int tasks)
    {
        await using var leader = await OneLeader.StartAsync(store);
        using var end = new CancellationTokenSource();
        var seen = new Seen();
        var connected = await OneLeader.WorkersAsync(workers, 4, seen, end.Token);
        await SubmitAsync(leader, tasks / 5);
        await UntilAsync(() => seen.Acknowledged >= tasks / 5, seen);
        var (before, started) = (seen.Acknowledged, Stopwatch.GetTimestamp());
        await SubmitAsync(leader, tasks);
        await UntilAsync(() => seen.Acknowledged >= before + tasks, seen);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await end.CancelAsync();
        foreach (var worker in connected)
            await worker.DisposeAsync();
        return new RateResult("Galaxy", store, workers, tasks, tasks / took);
    }

    private static async Task SubmitAsync(OneLeader leader, int tasks)
    {
        var batch = Enumerable.Range(0, InBatch).Select(_ => new { action = "bench", @params = new { } }).ToArray();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, tasks / InBatch),
            new ParallelOptions { MaxDegreeOfParallelism = Submitters },
            async (_, stop) =>
            {
                using var answer = await leader.Http.PostAsJsonAsync("/api/v1/tasks/batch", batch, stop);
                if (!answer.IsSuccessStatusCode)
                    throw new InvalidOperationException(
                        $"{await answer.Content.ReadAsStringAsync(stop)}\n{string.Join('\n', leader.Coordinator.Lines)}"
                    );
            }
        );
    }

    private static async Task UntilAsync(Func<bool> done, Seen seen)
    {
        var (last, since) = (seen.Acknowledged, Stopwatch.GetTimestamp());
        while (!done())
        {
            await Task.Delay(1);
            if (seen.Acknowledged != last)
                (last, since) = (seen.Acknowledged, Stopwatch.GetTimestamp());
            else if (Stopwatch.GetElapsedTime(since).TotalSeconds > 20)
                throw new TimeoutException($"nothing happened for 20 s after {last} results");
        }
    }

    public static async Task<LatencyResult> LatencyAsync(string store, int workers, double rate, int seconds)
    {
        await using var leader = await OneLeader.StartAsync(store);
        using var end = new CancellationTokenSource();
        var warm = new Seen();
        var connected = await OneLeader.WorkersAsync(workers, 4, warm, end.Token);
        await SubmitAsync(leader, 10_000);
        await UntilAsync(() => warm.Acknowledged >= 10_000, warm);
        await end.CancelAsync();
        foreach (var worker in connected)
            await worker.DisposeAsync();
        using var again = new CancellationTokenSource();
        var seen = new Seen();
        connected = await OneLeader.WorkersAsync(workers, 4, seen, again.Token);
        var tasks = (int)(rate * seconds);
        var sending = new List<Task>(tasks);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < tasks; i++)
        {
            while (Stopwatch.GetElapsedTime(started).TotalSeconds < i / rate)
                await Task.Delay(1);
            sending.Add(SendAsync());
        }
        await Task.WhenAll(sending);
        await UntilAsync(() => seen.Acknowledged >= tasks, seen);
        var times = seen.Dispatch;
        await again.CancelAsync();
        foreach (var worker in connected)
            await worker.DisposeAsync();
        return new LatencyResult(
            store,
            workers,
            rate,
            tasks,
            times[times.Count / 2],
            times[times.Count * 99 / 100],
            times[^1]
        );

        async Task SendAsync()
        {
            using var answer = await leader.Http.PostAsJsonAsync(
                "/api/v1/tasks",
                new { action = "bench", @params = new { sent = Stopwatch.GetTimestamp() } }
            );
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>The peer: tasks in a Redis list, workers that wait with BLPOP and write each result.</summary>
    public static async Task<RateResult> RedisListAsync(string store, int workers, int tasks)
    {
        const int Port = 27480;
        var folder = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
        await using var server = new PeerProcess("redis-server", () =>
            [
                "--port",
                $"{Port}",
                "--save",
                "",
                "--dir",
                folder,
                "--appendonly",
                store == "redis" ? "yes" : "no",
                "--appendfsync",
                "everysec",
                "--maxclients",
                "20000",
            ]
        );
        server.Start();
        using var end = new CancellationTokenSource();
        await using var redis = await ConnectAsync(Port);
        var done = 0;
        var working = Enumerable
            .Range(0, workers)
            .Select(i => BlockingWorker.RunAsync(Port, i, () => Interlocked.Increment(ref done), end.Token))
            .ToList();
        await PushAsync(redis, tasks / 5);
        while (Volatile.Read(ref done) < tasks / 5)
            await Task.Delay(1);
        var (before, started) = (Volatile.Read(ref done), Stopwatch.GetTimestamp());
        await PushAsync(redis, tasks);
        while (Volatile.Read(ref done) < before + tasks)
            await Task.Delay(1);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await end.CancelAsync();
        await Task.WhenAll(working);
        return new RateResult("Redis list, BLPOP", store, workers, tasks, tasks / took);
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(int port)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}");
            }
            catch (RedisConnectionException) when (tries < 50)
            {
                await Task.Delay(100);
            }
        }
    }

    private static Task PushAsync(ConnectionMultiplexer redis, int tasks) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, tasks / InBatch),
            new ParallelOptions { MaxDegreeOfParallelism = Submitters },
            async (batch, _) =>
                await redis
                    .GetDatabase()
                    .ListRightPushAsync(
                        "tasks",
                        [
                            .. Enumerable
                                .Range(0, InBatch)
                                .Select(i =>
                                    (RedisValue)
                                        JsonSerializer.Serialize(
                                            new
                                            {
                                                task_id = $"{batch}-{i}",
                                                action = "bench",
                                                @params = new { },
                                            }
                                        )
                                ),
                        ]
                    )
        );
}
