using System.Globalization;
using System.Text.Json;
using Galaxy.Bench;
using Galaxy.Bench.OneApi;

// upstream PORT | bare PORT UPSTREAM | bench [--only latency|throughput|streams|memory|aborts] [--seconds 10] [--rounds
// 5] [--save file]
const int UpstreamPort = 28310,
    GalaxyPort = 28311,
    PortkeyPort = 28312,
    BarePort = 28313;
const string Key = "gx-bench-key-0123456789";
if (args is ["upstream", var own])
    return await Upstream.RunAsync(own);
if (args is ["bare", var port, var target])
    return await BareRelay.RunAsync(port, target);
if (!PeerProcess.IsInstalled("wrk") || !PeerProcess.IsInstalled("node"))
{
    Console.Error.WriteLine("wrk and node are needed: install Debian's packages wrk, nodejs and npm.");
    return 1;
}
var upstream = $"http://127.0.0.1:{UpstreamPort}";
await using var provider = new PeerProcess("dotnet", () =>
    [typeof(Way).Assembly.Location, "upstream", $"{UpstreamPort}"]
);

// For trying settings of the runtime: GALAXY_BENCH_ENV="NAME=value;…" goes to our gateway only.
var trial = (Environment.GetEnvironmentVariable("GALAXY_BENCH_ENV") ?? "")
    .Split(';', StringSplitOptions.RemoveEmptyEntries)
    .Select(pair => pair.Split('=', 2))
    .ToDictionary(pair => pair[0], pair => pair[1]);
await using var galaxy = new PeerProcess(
    Path.Combine(Environment.CurrentDirectory, "Galaxy.OneApi/bin/Release/net10.0/Galaxy.OneApi"),
    () => [],
    new Dictionary<string, string>(trial)
    {
        ["HTTP_PORT"] = $"{GalaxyPort}",
        ["GALAXY_API_KEY"] = Key,
        ["GALAXY_BIND"] = "127.0.0.1",
        ["Galaxy_NODE_ID"] = "oneapi-bench",
        ["OneApi__Providers__up__BaseUrl"] = upstream + "/v1",
        ["OneApi__Providers__up__ApiKey"] = "sk-bench-0123456789",
        ["OneApi__Providers__up__Models__0"] = "plain",
    }
);
await using var portkey = new PeerProcess(
    "node",
    () =>
        ["bench/oneapi/node_modules/@portkey-ai/gateway/build/start-server.js", $"--port={PortkeyPort}", "--headless"],
    new Dictionary<string, string> { ["NODE_ENV"] = "production" }
);
await using var bare = new PeerProcess("dotnet", () =>
    [typeof(Way).Assembly.Location, "bare", $"{BarePort}", upstream]
);
provider.Start();
bare.Start();
galaxy.Start();
portkey.Start();
using var direct = new Way("direct", upstream + "/v1/chat/completions", 0);
using var ours = new Way(
    "galaxy",
    $"http://127.0.0.1:{GalaxyPort}/v1/chat/completions",
    galaxy.Id,
    ("Authorization", "Bearer " + Key)
);
using var theirs = new Way(
    "portkey",
    $"http://127.0.0.1:{PortkeyPort}/v1/chat/completions",
    portkey.Id,
    ("x-portkey-provider", "openai"),
    ("x-portkey-custom-host", upstream + "/v1"),
    ("Authorization", "Bearer sk-bench-0123456789")
);
using var least = new Way("bare", $"http://127.0.0.1:{BarePort}/v1/chat/completions", bare.Id);
Way[] ways = [direct, ours, theirs, least];
foreach (var way in ways)
    await ReadyAsync(way);

// Warm: whatever compiles itself has done so.
for (var i = 0; i < 3000; i++)
    await Task.WhenAll(ways.Select(way => way.WholeAsync()));

var results = new Dictionary<string, object>();
if (Wants("latency"))
{
    var latencies = await Measures.LatencyAsync(ways, 200, Number("--seconds", 10), way => way.WholeAsync());
    Show("whole answers, 200 a second", latencies);
    results["latency"] = latencies;
}
if (Wants("streams"))
{
    var streaming = await StreamingAsync();
    for (var i = 0; i < 500; i++)
        await Task.WhenAll(streaming.Select(way => way.FirstTokenAsync()));
    var latencies = await Measures.LatencyAsync(streaming, 100, Number("--seconds", 10), way => way.FirstTokenAsync());
    Show("first token of a stream, 100 a second", latencies);
    results["streams"] = latencies;
}
if (Wants("throughput"))
{
    var rates = await Measures.ThroughputAsync(ways, Number("--rounds", 5), Math.Max(3, Number("--seconds", 10) / 2));
    Console.WriteLine("whole answers, 64 connections:");
    foreach (var rate in rates)
        Console.WriteLine(
            $"  {rate.Way, -8} {rate.RequestsPerSecond, 9:N0}/s   {rate.PerCpuSecond, 9:N0} for a second of its CPU"
        );
    Console.WriteLine(
        $"  galaxy ÷ portkey: {rates[1].RequestsPerSecond / rates[2].RequestsPerSecond:0.0} in all, "
            + $"{rates[1].PerCpuSecond / rates[2].PerCpuSecond:0.0} per core"
    );
    results["throughput"] = rates;
}
if (Wants("memory"))
{
    List<object> all = [];
    foreach (var way in (await StreamingAsync()).Where(way => way != direct))
    {
        var (before, with) = await Measures.MemoryAsync(way, 1000);
        Console.WriteLine($"1,000 streams through {way.Name}: {with:0} MiB resident ({before:0} before)");
        all.Add(
            new
            {
                way.Name,
                before,
                with,
            }
        );
    }
    results["memory"] = all;
}
if (Wants("aborts"))
{
    var (sockets, before, after, open, slowest) = await Measures.AbortAsync(ours, upstream, Number("--aborts", 10_000));
    Console.WriteLine(
        $"10,000 streams left through galaxy, 200 at a time: {sockets:+0;-0;0} sockets, {before:0} → "
            + $"{after:0} MiB, {open} still open upstream; the slowest 200 had reached the upstream after "
            + $"{slowest:0} ms"
    );
    results["aborts"] = new
    {
        sockets,
        before,
        after,
        open,
        slowest,
    };
}
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            results,
            new JsonSerializerOptions
            {
                WriteIndented = true,
                NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
            }
        ) + "\n"
    );
return 0;

static void Show(string what, List<Latency> latencies)
{
    Console.WriteLine(what + ":");
    foreach (var latency in latencies)
        Console.WriteLine(
            $"  {latency.Way, -8} p50 {latency.P50:0.000} ms, p99 {latency.P99:0.000}; added "
                + $"{latency.AddedP50 * 1000:0} and {latency.AddedP99 * 1000:0} us"
        );
}

async Task ReadyAsync(Way way)
{
    for (var deadline = DateTimeOffset.UtcNow.AddSeconds(60); ; await Task.Delay(100))
    {
        try
        {
            await way.WholeAsync();
            return;
        }
        catch (HttpRequestException notYet) when (DateTimeOffset.UtcNow < deadline)
        {
            _ = notYet;
        }
    }
}

// Not every gateway streams on every version of Node.
async Task<List<Way>> StreamingAsync()
{
    List<Way> able = [];
    foreach (var way in ways)
    {
        try
        {
            await way.FirstTokenAsync();
            able.Add(way);
        }
        catch (InvalidOperationException unable)
        {
            Console.WriteLine($"  {way.Name} does not stream here: {unable.Message}");
        }
    }
    return able;
}

string? Option(string name) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

int Number(string name, int otherwise) =>
    Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

bool Wants(string what) => Option("--only") is not { } only || only == what;
