using System.Globalization;
using System.Text.Json;
using Galaxy.Bench;
using Galaxy.Bench.Gateway;

// bench [--only http|sockets|held] [--seconds 5] [--rounds 5] [--requests 10000] [--save file] | echo PORT | yarp PORT
// UPSTREAM ECHO
switch (args.FirstOrDefault())
{
    case "echo":
        await Upstreams.EchoAsync(args[1]);
        return 0;
    case "yarp":
        await Upstreams.YarpAsync(args[1], args[2], args[3]);
        return 0;
    case "bench":
        break;
    default:
        Console.Error.WriteLine(
            "bench/gateway/run.sh [--only http|sockets|held] [--seconds 5] [--rounds 5] [--requests 10000] "
                + "[--save file]"
        );
        return 1;
}
if (new[] { "wrk", "nginx", "haproxy" }.FirstOrDefault(program => !PeerProcess.IsInstalled(program)) is { } missing)
{
    Console.Error.WriteLine($"{missing} is needed: install Debian's package {missing}.");
    return 1;
}
List<HttpResult>? http = null;
List<SocketResult>? sockets = null;
List<HeldResult> held = [];
await using (var proxies = new Proxies())
{
    await proxies.StartAsync();
    if (Option("--only") is null or "http")
        http = await Measures.HttpAsync(Number("--rounds", 5), Number("--seconds", 5));
    if (Option("--only") is null or "sockets")
        sockets = await Measures.SocketsAsync(Number("--rounds", 5), Number("--seconds", 5));
    if (Option("--only") is null or "held")
    {
        proxies.Leader!.Signal(PeerProcess.Kill);
        await proxies.NoLeaderAsync();
        foreach (var expect in new[] { true, false })
            held.Add(await Measures.HeldAsync(proxies, Number("--requests", 10_000), expect));
    }
}
double Of(string way) => Median(http!.Single(one => one.Way == way).Throughput);
foreach (var one in http ?? [])
{
    Console.WriteLine(
        $"{one.Way, -8} median {Median(one.Throughput), 8:N0}/s  p99 {Median(one.P99), 6:0.00} ms"
            + (
                one.Way != "galaxy"
                    ? ""
                    : $"  of yarp {Of("galaxy") / Of("yarp"):0.000} (p99 x "
                        + $"{Median(one.P99) / Median(http!.Single(other => other.Way == "yarp").P99):0.00}), of "
                        + $"nginx {Of("galaxy") / Of("nginx"):0.000}, of haproxy "
                        + $"{Of("galaxy") / Of("haproxy"):0.000}"
            )
    );
}
foreach (var one in sockets ?? [])
    Console.WriteLine(
        $"{one.Way, -8} socket there and back p50 {Median(one.P50) * 1000, 5:0} us  p99 "
            + $"{Median(one.P99) * 1000, 6:0} us"
    );
foreach (var one in held)
    Console.WriteLine(
        $"{one.Requests:N0} requests of 1 MiB without a "
            + $"leader{(one.Expect ? ", that ask first (Expect: 100-continue)" : "")}: {one.Held:N0} waited, "
            + $"{one.Refused:N0} refused at once, {one.Broken:N0} broken off, {one.WithoutRetryAfter} without "
            + $"Retry-After; memory {one.MiBBefore:0} -> most {one.MiBMost:0} -> {one.MiBAfter:0} MiB"
    );
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                http,
                sockets,
                held,
            },
            new JsonSerializerOptions { WriteIndented = true }
        ) + "\n"
    );
return 0;

string? Option(string name) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

int Number(string name, int otherwise) =>
    Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
