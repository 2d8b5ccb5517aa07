using System.Globalization;
using System.Text.Json;
using Galaxy.Bench.Discovery;
using Galaxy.Hosts;

// See run.sh for the options.
var runs = int.Parse(Option("--runs") ?? "20", CultureInfo.InvariantCulture);
var only = Option("--only");
if (HostNetwork.Missing is { } missing)
{
    Console.Error.WriteLine($"bench/discovery cannot run here: {missing}.");
    return 2;
}
var results = new List<object>();
foreach (
    var (name, measure) in new (string, Func<Task<object>>)[]
    {
        ("starts", () => Meetings.StartsAsync(runs)),
        ("leaving", () => Meetings.LeavingAsync(runs)),
        ("replug", () => Meetings.ReplugAsync(runs)),
        ("flood", Floods.RunAsync),
        ("announcers", () => Crowd.RunAsync(1000)),
    }
)
{
    if (only is not null && only != name)
        continue;
    results.Add(await measure());
    Console.WriteLine();
}
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                at = DateTimeOffset.UtcNow,
                processors = Environment.ProcessorCount,
                results,
            },
            new JsonSerializerOptions { WriteIndented = true }
        )
    );
return 0;

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
