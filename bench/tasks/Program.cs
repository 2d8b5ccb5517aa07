using System.Globalization;
using System.Text.Json;
using Galaxy.Bench.Tasks;

// dotnet run -c Release --project bench/tasks [-- --only rate|latency|idle|chaos] [--workers 100,1000] [--stores
// galaxy,redis,memory] [--tasks 50000] [--kills 20] [--store-kills 2] [--save file]
var only = Option("--only");
var workers = (Option("--workers") ?? "100,1000")
    .Split(',')
    .Select(text => int.Parse(text, CultureInfo.InvariantCulture))
    .ToArray();
var stores = (Option("--stores") ?? "galaxy,redis,memory").Split(',');
var tasks = int.Parse(Option("--tasks") ?? "50000", CultureInfo.InvariantCulture);
var (rates, latencies, idle, chaos) = (
    new List<RateResult>(),
    new List<LatencyResult>(),
    new List<IdleResult>(),
    new List<ChaosResult>()
);

if (only is null or "rate")
{
    foreach (var count in workers)
    {
        foreach (var store in stores)
        {
            rates.Add(await Rates.GalaxyAsync(store, count, tasks));
            Console.WriteLine($"  {rates[^1]}");
            if (store == "galaxy")
                continue;
            rates.Add(await Rates.RedisListAsync(store, count, tasks));
            Console.WriteLine($"  {rates[^1]}");
        }
    }
}
if (only is null or "latency")
{
    foreach (var count in workers)
    {
        var rate = double.Parse(Option("--rate") ?? "2500", CultureInfo.InvariantCulture);
        latencies.Add(await Rates.LatencyAsync(stores[0], count, rate, 10));
        Console.WriteLine($"  {latencies[^1]}");
    }
}
if (only is null or "idle")
{
    idle.Add(await IdleSockets.MeasureAsync(int.Parse(Option("--sockets") ?? "10000", CultureInfo.InvariantCulture)));
    Console.WriteLine($"  {idle[^1]}");
}
if (only is null or "chaos")
{
    chaos.Add(await Chaos.RunAsync("galaxy", tasks, Number("--kills", 20), 0));
    Console.WriteLine($"  {chaos[^1]}");
    chaos.Add(await Chaos.RunAsync("redis", tasks, 0, Number("--store-kills", 2)));
    Console.WriteLine($"  {chaos[^1]}");
}
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                at = DateTimeOffset.UtcNow,
                processors = Environment.ProcessorCount,
                rates,
                latencies,
                idle,
                chaos,
            },
            new JsonSerializerOptions { WriteIndented = true }
        )
    );
return chaos.Exists(one => !one.IsClean) ? 1 : 0;

int Number(string name, int usual) => Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
