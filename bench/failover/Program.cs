using System.Globalization;
using System.Text.Json;
using Galaxy.Bench;
using Galaxy.Bench.Failover;

// dotnet run -c Release --project bench/failover [-- --runs 20] [--only galaxy|aspire|etcd|sentinel] [--kinds
// kill,stop,term,manual] [--peer-kinds kill] [--stores 3] [--traces] [--save file]
var runs = int.Parse(Option("--runs") ?? "20", CultureInfo.InvariantCulture);
var only = Option("--only");
var kinds = (Option("--kinds") ?? "kill,stop,term,manual").Split(',');
var peerKinds = Option("--peer-kinds")?.Split(',') ?? kinds;
var results = new List<Result>();

string[] stores = Option("--stores") is { } count ? ["--stores", count] : [];
if (only is null or "galaxy" or "aspire")
{
    Console.WriteLine(
        "Galaxy under its supervisor: three coordinators, embedded store, default settings, through the gateway"
    );
    await MeasureGalaxyAsync("galaxy", onAspire: false);
}
if (only is null or "aspire")
{
    Console.WriteLine("Galaxy under Aspire, with orchestrator and dashboard: the same");
    await MeasureGalaxyAsync("aspire", onAspire: true);
}
if (only is null or "etcd" && Installed("etcd"))
{
    Console.WriteLine("etcd: three members, default timings");
    await using var etcd = await EtcdRuns.StartAsync();
    await MeasureAsync("etcd", "kill", etcd.KillAsync);
    await MeasureAsync("etcd", "stop", etcd.PauseAsync);
    await MeasureAsync("etcd", "term", etcd.TerminateAsync);
}
if (only is null or "sentinel" && Installed("redis-sentinel"))
{
    Console.WriteLine("Redis Sentinel: three servers, three sentinels, down-after 1 s");
    await using var sentinel = await SentinelRuns.StartAsync();
    await MeasureAsync("sentinel", "kill", sentinel.KillAsync);
    await MeasureAsync("sentinel", "stop", sentinel.PauseAsync);
    await MeasureAsync("sentinel", "term", sentinel.TerminateAsync);
}

Console.WriteLine();
Console.WriteLine(Result.Table(results));
if (Option("--save") is { } file)
{
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                at = DateTimeOffset.UtcNow,
                processors = Environment.ProcessorCount,
                runs,
                results,
            },
            new JsonSerializerOptions { WriteIndented = true }
        )
    );
}

async Task MeasureGalaxyAsync(string system, bool onAspire)
{
    await using var galaxy = await GalaxyRuns.StartAsync(onAspire, args.Contains("--traces"), stores);
    await MeasureAsync(system, "kill", galaxy.KillAsync);
    await MeasureAsync(system, "stop", galaxy.PauseAsync);
    await MeasureAsync(system, "term", galaxy.TerminateAsync);
    await MeasureAsync(system, "manual", galaxy.ManualAsync);
}

async Task MeasureAsync(string system, string kind, Func<Task<TimeSpan>> run)
{
    if (!(system is "galaxy" or "aspire" ? kinds : peerKinds).Contains(kind))
        return;
    var times = new List<double>();
    for (var i = 0; i < runs; i++)
    {
        times.Add((await run()).TotalMilliseconds);
        Console.WriteLine($"  {system} {kind} {i + 1}/{runs}: {times[^1]:0} ms");
    }
    results.Add(Result.Of(system, kind, times));
}

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

static bool Installed(string program)
{
    if (PeerProcess.IsInstalled(program))
        return true;
    Console.WriteLine($"{program} is not on PATH: left out. On Debian: apt-get install etcd-server redis-sentinel");
    return false;
}
