using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Running;
using Galaxy.Bench;
using Galaxy.Bench.Router;

// decision [BenchmarkDotNet's arguments] | http [--seconds 5] [--rounds 5] [--services 50] [--save file] | empty PORT
switch (args.FirstOrDefault())
{
    case "decision":
        BenchmarkRunner.Run<DecisionBenchmarks>(args: args[1..]);
        return 0;
    case "empty":
        return await EmptyAsync(args[1]);
    case "http":
        break;
    default:
        Console.Error.WriteLine(
            "bench/router/run.sh [--only decision|http] [--seconds 5] [--rounds 5] [--services 50] [--save file]"
        );
        return 1;
}
if (!PeerProcess.IsInstalled("wrk"))
{
    Console.Error.WriteLine("wrk is needed to measure over HTTP: install Debian's package wrk.");
    return 1;
}
IReadOnlyList<HttpResult> results;
await using (var bench = new RouteOverHttp())
    results = await bench.MeasureAsync(Number("--services", 50), Number("--rounds", 5), Number("--seconds", 5));
foreach (var result in results)
    Console.WriteLine(
        $"{result.Name, -30} median {result.Median, 9:N0}/s  {result.Median / results[0].Median:0.000} of "
            + "the empty endpoint"
    );
if (Option("--save") is { } file)
    await File.WriteAllTextAsync(
        file,
        JsonSerializer.Serialize(
            new
            {
                http = results.Select(result => new
                {
                    result.Name,
                    result.Requests,
                    result.Median,
                    ratio = result.Median / results[0].Median,
                }),
            },
            new JsonSerializerOptions { WriteIndented = true }
        ) + "\n"
    );
return 0;

string? Option(string name) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

int Number(string name, int otherwise) =>
    Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

static async Task<int> EmptyAsync(string port)
{
    var builder = WebApplication.CreateBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.UseUrls("http://127.0.0.1:" + port);
    var app = builder.Build();
    app.MapGet("/empty", () => { });
    app.MapGet("/health", () => { });
    var same =
        """{"id":"service-000","kind":"service","type":"external","layer":"tools","url":"http://127.0.0.1:28212","status":"healthy","load":0,"capabilities":["work"]}"""u8.ToArray();
    app.MapGet("/same", async context =>
    {
        (context.Response.ContentType, context.Response.ContentLength) = (
            "application/json; charset=utf-8",
            same.Length
        );
        await context.Response.Body.WriteAsync(same);
    });
    await app.RunAsync();
    return 0;
}
