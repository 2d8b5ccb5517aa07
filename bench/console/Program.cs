using System.Globalization;
using System.Text.Json;
using Galaxy.Bench.Console;

await using var galaxy = await RunningSystem.StartAsync();
await using var browser = await Pages.StartAsync(galaxy);
var rounds = Number("--rounds", 5);
var devices = Number("--devices", 500);
var spans = Number("--spans", 2000);

Console.WriteLine("First paint of each page, ms after the request (median of rounds):");
var paints = await browser.PaintsAsync(rounds);
foreach (var (path, ms) in paints)
    Console.WriteLine($"  {path, -20} {ms, 7:0}");

await using var crowd = await Crowd.JoinAsync(galaxy, devices);
var sky = await browser.ConstellationAsync(crowd, rounds);
Console.WriteLine(
    $"{devices} devices that change {Crowd.ChangesPerSecond} times a second: drawn {sky.DrawnMs:0} ms "
        + $"after the data was there, opened from another page in {sky.OpenedMs:0} ms, {sky.FramesPerSecond:0} "
        + "frames a second while live"
);

var trace = await Exports.TraceAsync(galaxy, spans);
var waterfall = await browser.WaterfallAsync(galaxy, trace, spans, rounds);
Console.WriteLine(
    $"A trace of {spans} spans: opened in {waterfall.OpenedMs:0} ms (click to painted rows), "
        + $"{waterfall.FramesPerSecond:0} frames a second while it scrolls and spans arrive"
);

var load = await Exports.LoadAsync(galaxy, Number("--minutes", 5));
Console.WriteLine(
    $"{load.Spans:N0} spans in {load.Minutes:0.0} min ({load.Spans / load.Minutes:N0} a minute), "
        + $"{load.Refused} exports refused; console resident {load.MiBBefore:0} MiB before, most "
        + $"{load.MiBMost:0}, after {load.MiBAfter:0}; {load.ProcessorPercent:0} % of one processor"
);

if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                date = DateTimeOffset.UtcNow,
                paints = paints.ToDictionary(one => one.Path, one => one.Ms),
                devices,
                sky,
                spans,
                waterfall,
                load,
            },
            new JsonSerializerOptions { WriteIndented = true }
        ) + "\n"
    );
return 0;

string? Option(string name) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

int Number(string name, int otherwise) =>
    Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
