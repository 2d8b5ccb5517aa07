using System.Globalization;
using System.Text.Json;
using Galaxy.Bench;
using Galaxy.Bench.Gossip;

// See run.sh for the options.
var writes = int.Parse(Option("--writes") ?? "1000", CultureInfo.InvariantCulture);
var idle = TimeSpan.FromSeconds(int.Parse(Option("--idle") ?? "60", CultureInfo.InvariantCulture));
var only = Option("--only");
var pause = TimeSpan.FromMilliseconds(10);
var rows = new List<Row>();

if (only is null or "galaxy")
{
    Console.WriteLine($"Galaxy: five coordinators, {writes} writes of the replicated state");
    ByteCounter.Watch(GalaxyCluster.Ports);
    await using (var galaxy = await GalaxyCluster.StartAsync())
    {
        await WriteAllAsync("warm-up-", writes * 2, galaxy.WriteAsync);
        var times = await Spread(galaxy.WriteAsync, galaxy.Arrivals);
        rows.Add(Row.Of("Galaxy", "state, PUT to last watcher", times, await IdleBytesAsync()));
    }
    ByteCounter.Forget();
}
if (only is null or "serf")
{
    if (PeerProcess.IsInstalled("serf"))
    {
        Console.WriteLine($"Serf: five agents, LAN profile, {writes} user events, {Math.Min(writes, 100)} tags");
        ByteCounter.Watch(SerfCluster.Ports);
        await using (var serf = await SerfCluster.StartAsync())
        {
            await WriteAllAsync("warm-up-", writes * 2, serf.WriteAsync);
            rows.Add(
                Row.Of(
                    "Serf",
                    "user event to last listener",
                    await Spread(serf.WriteAsync, serf.Arrivals),
                    await IdleBytesAsync()
                )
            );
            var tags = new List<double>();
            for (var i = 0; i < Math.Min(writes, 100); i++)
                tags.Add(await serf.TagAsync(i % 5, $"value-{i}"));
            rows.Add(Row.Of("Serf", "tag, set to seen by all", tags, null));
        }
        ByteCounter.Forget();
    }
    else
    {
        Console.WriteLine("serf is not on PATH: left out. On Debian: apt-get install serf");
    }
}

Console.WriteLine();
Console.WriteLine(Row.Table(rows));
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                at = DateTimeOffset.UtcNow,
                processors = Environment.ProcessorCount,
                writes,
                rows,
            },
            new JsonSerializerOptions { WriteIndented = true }
        )
    );

async Task<IReadOnlyList<double>> Spread(Func<int, string, Task> write, Arrivals arrivals)
{
    await arrivals.EverywhereAsync(TimeSpan.FromSeconds(60));
    var warm = arrivals.Count;
    await WriteAllAsync("write-", writes, write);
    return [.. (await arrivals.EverywhereAsync(TimeSpan.FromSeconds(60))).Skip(warm)];
}

// At an even pace, on each node in turn; the next does not wait for the one before.
async Task WriteAllAsync(string name, int count, Func<int, string, Task> write)
{
    using var timer = new PeriodicTimer(pause);
    var sent = new List<Task>();
    for (var i = 0; i < count; i++)
    {
        await timer.WaitForNextTickAsync();
        sent.Add(write(i % 5, $"{name}{i}"));
    }
    await Task.WhenAll(sent);
}

async Task<double> IdleBytesAsync()
{
    await Task.Delay(TimeSpan.FromSeconds(15));
    var before = ByteCounter.Read();
    await Task.Delay(idle);
    return (ByteCounter.Read() - before) / idle.TotalSeconds / 5;
}

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

/// <summary>Times in ms; bytes that a node sends in a second when nothing happens, with the packets' headers.</summary>
internal sealed record Row(string System, string What, int Count, double P50, double P99, double Max, double? IdleBytes)
{
    public static Row Of(string system, string what, IReadOnlyList<double> times, double? idleBytes)
    {
        var sorted = times.Order().ToList();
        return new Row(system, what, times.Count, At(0.5), At(0.99), Math.Round(sorted[^1], 1), idleBytes);

        double At(double share) =>
            Math.Round(sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(share * sorted.Count) - 1)], 1);
    }

    public static string Table(IReadOnlyList<Row> rows) =>
        "| system | write | count | p50 ms | p99 ms | max | p50 ÷ Galaxy's | idle bytes sent per node and "
        + "second |\n|---|---|---|---|---|---|---|---|\n"
        + string.Concat(
            rows.Select(row =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.System} | {row.What} | {row.Count} | {row.P50:0.0} | {row.P99:0.0} | {row.Max:0.0} | {(rows[0].System == "Galaxy" && row.System != "Galaxy" ? (row.P50 / rows[0].P50).ToString("0.0", CultureInfo.InvariantCulture) : "")} | {row.IdleBytes:0} |\n"
                )
            )
        );
}
