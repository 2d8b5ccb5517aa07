using System.Globalization;
using System.Text.RegularExpressions;

namespace Galaxy.Bench.OneApi;

internal sealed record Latency(string Way, double P50, double P99, double AddedP50, double AddedP99);

internal sealed record Throughput(string Way, double RequestsPerSecond, double PerCpuSecond);

internal static partial class Measures
{
    private static double Quantile(List<double> sorted, double q) =>
        sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * q))];

    /// <summary>
    /// Open loop: a request is begun each 1/rate of a second on one way after the other, whether the last has ended or
    /// not.
    /// </summary>
    public static async Task<List<Latency>> LatencyAsync(
        IReadOnlyList<Way> ways,
        int rate,
        int seconds,
        Func<Way, Task<double>> ask
    )
    {
        List<Latency> all = [];
        var took = ways.ToDictionary(way => way.Name, _ => new List<double>());
        // In slices, so that what disturbs the machine disturbs all alike.
        for (var slice = 0; slice < seconds; slice++)
        {
            foreach (var way in ways)
            {
                List<Task<double>> asked = [];
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1000.0 / rate));
                while (asked.Count < rate && await timer.WaitForNextTickAsync())
                    asked.Add(ask(way));
                took[way.Name].AddRange(await Task.WhenAll(asked));
            }
        }
        foreach (var list in took.Values)
            list.Sort();
        var direct = took[ways[0].Name];
        foreach (var way in ways)
        {
            var mine = took[way.Name];
            all.Add(
                new Latency(
                    way.Name,
                    Quantile(mine, 0.5),
                    Quantile(mine, 0.99),
                    Quantile(mine, 0.5) - Quantile(direct, 0.5),
                    Quantile(mine, 0.99) - Quantile(direct, 0.99)
                )
            );
        }
        return all;
    }

    /// <summary>
    /// As many as wrk gets with 64 connections, and how many that is for each second of the gateway's CPU.
    /// </summary>
    public static async Task<List<Throughput>> ThroughputAsync(IReadOnlyList<Way> ways, int rounds, int seconds)
    {
        var rates = ways.ToDictionary(way => way.Name, _ => new List<(double Rate, double PerCpu)>());
        for (var round = -1; round < rounds; round++)
        {
            foreach (var way in ways)
            {
                var before = way.ProcessId == 0 ? 0 : Proc.CpuSeconds(way.ProcessId);
                var rate = await WrkAsync(way, seconds);
                var cpu = way.ProcessId == 0 ? double.NaN : Proc.CpuSeconds(way.ProcessId) - before;
                // The first round only warms up.
                if (round >= 0)
                    rates[way.Name].Add((rate, rate * seconds / cpu));
            }
        }
        return
        [
            .. ways.Select(way => new Throughput(
                way.Name,
                Median(rates[way.Name].Select(one => one.Rate)),
                Median(rates[way.Name].Select(one => one.PerCpu))
            )),
        ];
    }

    private static double Median(IEnumerable<double> numbers)
    {
        var sorted = numbers.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static async Task<double> WrkAsync(Way way, int seconds)
    {
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(
            script,
            $"wrk.method = 'POST'\nwrk.body = [==[{way.Body("plain", false)}]==]\n"
                + "wrk.headers['Content-Type'] = 'application/json'\n"
                + string.Concat(way.Headers.Select(header => $"wrk.headers['{header.Name}'] = '{header.Value}'\n"))
        );
        try
        {
            await using var wrk = new PeerProcess("wrk", () =>
                ["-t", "1", "-c", "64", "-d", $"{seconds}s", "-s", script, way.Url]
            );
            wrk.Start();
            for (
                var deadline = DateTimeOffset.UtcNow.AddSeconds(seconds + 20);
                DateTimeOffset.UtcNow < deadline;
                await Task.Delay(50)
            )
            {
                if (
                    wrk.Lines.Select(line => Rate().Match(line)).FirstOrDefault(match => match.Success) is not { } match
                )
                    continue;
                return wrk.Lines.FirstOrDefault(line => line.Contains("Non-2xx", StringComparison.Ordinal)) is { } bad
                    ? throw new InvalidOperationException($"{way.Name}: {bad}")
                    : double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            }
            throw new TimeoutException("wrk said nothing: " + string.Join('\n', wrk.Lines));
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>
    /// Resident memory of the gateway before and with that many streams open, each with a word a second.
    /// </summary>
    public static async Task<(double Before, double With)> MemoryAsync(Way way, int streams)
    {
        var before = Proc.ResidentMiB(way.ProcessId);
        using var end = new CancellationTokenSource();
        var begun = 0;
        var open = Enumerable
            .Range(0, streams)
            .Select(async i =>
            {
                await Task.Delay(i);
                using var response = await way.SendAsync("slow", true, end.Token);
                if (!response.IsSuccessStatusCode)
                    throw new InvalidOperationException(
                        $"{way.Name}: {response.StatusCode} {await response.Content.ReadAsStringAsync(end.Token)}"
                    );
                await using var body = await response.Content.ReadAsStreamAsync(end.Token);
                var buffer = new byte[4096];
                var read = await body.ReadAsync(buffer, end.Token);
                Interlocked.Increment(ref begun);
                while (read > 0)
                    read = await body.ReadAsync(buffer, end.Token);
            })
            .ToList();
        var most = 0.0;
        for (
            var deadline = DateTimeOffset.UtcNow.AddSeconds(60);
            open.Exists(task => !task.IsCompleted) && DateTimeOffset.UtcNow < deadline;
            await Task.Delay(100)
        )
            most = Math.Max(most, Proc.ResidentMiB(way.ProcessId));
        await Task.WhenAll(open);
        return begun == streams
            ? (before, most)
            : throw new InvalidOperationException($"{way.Name}: {begun} of {streams} streams began");
    }

    /// <summary>Streams that are left after their first word: what stays behind.</summary>
    public static async Task<(
        int Sockets,
        double Before,
        double After,
        int Open,
        double SlowestMilliseconds
    )> AbortAsync(Way way, string upstream, int streams)
    {
        using var http = new HttpClient();
        async Task<int> OpenAsync() =>
            int.Parse(await http.GetStringAsync(upstream + "/open"), CultureInfo.InvariantCulture);
        async Task RoundAsync(int count)
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, count)
                    .Select(async _ =>
                    {
                        using var leave = new CancellationTokenSource();
                        using var response = await way.SendAsync("endless", true, leave.Token);
                        await using var body = await response.Content.ReadAsStreamAsync(leave.Token);
                        _ = await body.ReadAsync(new byte[1024], leave.Token);
                        await leave.CancelAsync();
                    })
            );
        }
        await RoundAsync(200);
        await Task.Delay(2000);
        var (sockets, before) = (Proc.Sockets(way.ProcessId), Proc.ResidentMiB(way.ProcessId));
        var slowest = 0.0;
        for (var done = 0; done < streams; done += 200)
        {
            await RoundAsync(200);
            var left = System.Diagnostics.Stopwatch.GetTimestamp();
            while (
                await OpenAsync() > 0 && System.Diagnostics.Stopwatch.GetElapsedTime(left) < TimeSpan.FromSeconds(30)
            )
                await Task.Delay(2);
            slowest = Math.Max(slowest, System.Diagnostics.Stopwatch.GetElapsedTime(left).TotalMilliseconds);
        }
        await Task.Delay(3000);
        return (
            Proc.Sockets(way.ProcessId) - sockets,
            before,
            Proc.ResidentMiB(way.ProcessId),
            await OpenAsync(),
            slowest
        );
    }

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}
