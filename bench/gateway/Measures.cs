using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text.RegularExpressions;

namespace Galaxy.Bench.Gateway;

/// <param name="Throughput">Requests a second, by round.</param>
/// <param name="P99">Milliseconds, by round.</param>
internal sealed record HttpResult(string Way, List<double> Throughput, List<double> P99);

/// <summary>Milliseconds there and back.</summary>
internal sealed record SocketResult(string Way, List<double> P50, List<double> P99);

/// <summary>What was seen of many requests that wait for a leader.</summary>
/// <param name="Held">Answered with 503 after they had waited.</param>
/// <param name="Refused">Answered with 503 at once.</param>
/// <param name="Broken">Broken off.</param>
/// <param name="MiBBefore">Resident memory of the gateway.</param>
internal sealed record HeldResult(
    int Requests,
    bool Expect,
    int Held,
    int Refused,
    int Broken,
    int WithoutRetryAfter,
    double MiBBefore,
    double MiBMost,
    double MiBAfter
);

internal static partial class Measures
{
    private const int Sockets = 20;

    public static async Task<List<HttpResult>> HttpAsync(int rounds, int seconds)
    {
        var results = Proxies.Ways.Select(way => new HttpResult(way.Name, [], [])).ToList();
        foreach (var way in Proxies.Ways)
            await WrkAsync(way, seconds);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < results.Count; i++)
            {
                var (throughput, p99) = await WrkAsync(Proxies.Ways[i], seconds);
                results[i].Throughput.Add(throughput);
                results[i].P99.Add(p99);
            }
            Console.WriteLine(
                $"  round {round + 1}: {string.Join(", ", results.Select(one => $"{one.Way} {one.Throughput[^1]:N0}/s p99 {one.P99[^1]:0.00} ms"))}"
            );
        }
        return results;
    }

    private static async Task<(double Throughput, double P99)> WrkAsync(Way way, int seconds)
    {
        await using var wrk = new PeerProcess("wrk", () =>
            [
                "-t",
                "1",
                "-c",
                "64",
                "-d",
                $"{seconds}s",
                "--latency",
                "-H",
                $"Authorization: Bearer {Proxies.Key}",
                way.Http,
            ]
        );
        wrk.Start();
        for (
            var deadline = DateTimeOffset.UtcNow.AddSeconds(seconds + 20);
            DateTimeOffset.UtcNow < deadline;
            await Task.Delay(50)
        )
        {
            var said = string.Join('\n', wrk.Lines);
            if (Rate().Match(said) is not { Success: true } rate)
                continue;
            if (said.Contains("Non-2xx", StringComparison.Ordinal))
                throw new InvalidOperationException($"{way.Name}: {said}");
            var p99 = Latency().Match(said);
            var number = double.Parse(p99.Groups[1].Value, CultureInfo.InvariantCulture);
            return (
                double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture),
                p99.Groups[2].Value switch
                {
                    "us" => number / 1000,
                    "s" => number * 1000,
                    _ => number,
                }
            );
        }
        throw new TimeoutException("wrk said nothing");
    }

    public static async Task<List<SocketResult>> SocketsAsync(int rounds, int seconds)
    {
        var results = Proxies.Ways.Select(way => new SocketResult(way.Name, [], [])).ToList();
        foreach (var way in Proxies.Ways)
            await PingPongAsync(way, seconds);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < results.Count; i++)
            {
                var times = await PingPongAsync(Proxies.Ways[i], seconds);
                results[i].P50.Add(times[times.Length / 2]);
                results[i].P99.Add(times[times.Length * 99 / 100]);
            }
            Console.WriteLine(
                $"  round {round + 1}: {string.Join(", ", results.Select(one => $"{one.Way} {one.P50[^1] * 1000:0}/{one.P99[^1] * 1000:0} us"))}"
            );
        }
        return results;
    }

    // Each socket sends a message every few milliseconds, as devices do, and waits for it: what is measured is the way,
    // not the queue.
    private static async Task<double[]> PingPongAsync(Way way, int seconds)
    {
        var ends = Stopwatch.GetTimestamp() + (long)(seconds * (double)Stopwatch.Frequency);
        var all = await Task.WhenAll(
            Enumerable
                .Range(0, Sockets)
                .Select(async i =>
                {
                    using var socket = new ClientWebSocket();
                    socket.Options.SetRequestHeader("Authorization", "Bearer " + Proxies.Key);
                    await socket.ConnectAsync(new Uri(way.Socket), CancellationToken.None);
                    var (message, answer) = (new byte[64], new byte[256]);
                    var times = new List<double>();
                    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5 + (i % 5)));
                    while (Stopwatch.GetTimestamp() < ends && await timer.WaitForNextTickAsync())
                    {
                        var began = Stopwatch.GetTimestamp();
                        await socket.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None);
                        await socket.ReceiveAsync(answer.AsMemory(), CancellationToken.None);
                        times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                    }
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return times;
                })
        );
        return [.. all.SelectMany(one => one).Order()];
    }

    /// <summary>The leader is gone, and so many come with 1 MiB each.</summary>
    public static async Task<HeldResult> HeldAsync(Proxies proxies, int requests, bool expect)
    {
        using var http = new HttpClient(
            new SocketsHttpHandler
            {
                MaxConnectionsPerServer = requests,
                ConnectTimeout = TimeSpan.FromSeconds(60),
                Expect100ContinueTimeout = TimeSpan.FromMinutes(1),
            }
        )
        {
            BaseAddress = proxies.GatewayUrl,
            Timeout = TimeSpan.FromMinutes(3),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Proxies.Key);
        var body = new byte[1024 * 1024];
        var before = Resident(proxies.Gateway!.Id);
        var (held, refused, broken, without, most) = (0, 0, 0, 0, before);
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                most = Math.Max(most, Resident(proxies.Gateway.Id));
                await Task.Delay(20);
            }
        });
        await Task.WhenAll(
            Enumerable
                .Range(0, requests)
                .Select(async i =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Put, $"/tasks/none-{i}")
                    {
                        Content = new ByteArrayContent(body),
                    };
                    // Clients that send long bodies ask first (curl does); others send them whether they are wanted or
                    // not.
                    request.Headers.ExpectContinue = expect;
                    request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                    var began = Stopwatch.GetTimestamp();
                    try
                    {
                        using var answer = await http.SendAsync(request);
                        if ((int)answer.StatusCode != 503)
                            throw new InvalidOperationException(
                                $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"
                            );
                        if (answer.Headers.RetryAfter is null)
                            Interlocked.Increment(ref without);
                        _ = (await answer.Content.ReadAsStringAsync()).Contains("Too many", StringComparison.Ordinal)
                            ? Interlocked.Increment(ref refused)
                            : Interlocked.Increment(ref held);
                    }
                    catch (HttpRequestException)
                    {
                        Interlocked.Increment(ref broken);
                    }
                })
        );
        await stop.CancelAsync();
        await watching;
        return new HeldResult(
            requests,
            expect,
            held,
            refused,
            broken,
            without,
            before,
            most,
            Resident(proxies.Gateway.Id)
        );
    }

    private static double Resident(int process) =>
        File.ReadLines($"/proc/{process}/status")
            .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Select(line =>
                double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
                / 1024
            )
            .Single();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"99%\s+([\d.]+)(us|ms|s)")]
    private static partial Regex Latency();
}
