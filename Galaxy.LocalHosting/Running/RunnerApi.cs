using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Galaxy.LocalHosting.Running;

/// <summary>
/// The runner's own HTTP API on loopback, behind a token: list, start, stop, restart, kill, show output. Address and token
/// are in <c>runner.json</c> of the data folder, readable by its owner only.
/// </summary>
internal sealed class RunnerApi : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly string _file;

    private RunnerApi(WebApplication app, string file) => (_app, _file) = (app, file);

    public static async Task<RunnerApi> StartAsync(Runner runner, string dataFolder)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = dataFolder });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Use(async (context, next) =>
        {
            if (IsAllowed(context.Request.Headers.Authorization.ToString(), token))
                await next(context);
            else
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        });
        Map(app, runner);
        await app.StartAsync();

        var file = Path.Combine(dataFolder, "runner.json");
        await WritePrivateAsync(file, JsonSerializer.Serialize(new { url = app.Urls.First(), token, pid = Environment.ProcessId }));
        return new RunnerApi(app, file);
    }

    private static bool IsAllowed(string header, string token) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header)), SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + token)));

    private static async Task WritePrivateAsync(string file, string text)
    {
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var stream = new FileStream(file, options);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    private static void Map(IEndpointRouteBuilder app, Runner runner)
    {
        app.MapGet("/resources", () => runner.Processes.Select(process => new
        {
            name = process.Resource.Name,
            state = process.State.ToString().ToLowerInvariant(),
            pid = process.ProcessId,
            restarts = process.Restarts,
            endpoints = process.Resource.Endpoints.ToDictionary(endpoint => endpoint.Name, endpoint => endpoint.Url),
        }));
        app.MapGet("/resources/{name}/logs", (string name) =>
            Find(runner, name) is { } process ? Results.Text(string.Join('\n', process.Lines) + "\n") : Results.NotFound());
        app.MapPost("/resources/{name}/{act}", async (string name, string act) =>
        {
            if (Find(runner, name) is not { } process)
                return Results.NotFound();
            switch (act)
            {
                case "start":
                    process.Start();
                    return Results.Accepted();
                case "stop":
                    await process.StopAsync(Patience);
                    return Results.Accepted();
                case "restart":
                    await process.StopAsync(Patience);
                    process.Start();
                    return Results.Accepted();
                case "kill":
                    process.Signal(Signals.Kill);
                    return Results.Accepted();
                default:
                    return Results.NotFound();
            }
        });
    }

    private static ResourceProcess? Find(Runner runner, string name) => runner.Processes.FirstOrDefault(process => process.Resource.Name == name);

    public async ValueTask DisposeAsync()
    {
        File.Delete(_file);
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
