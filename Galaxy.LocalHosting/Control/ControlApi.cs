using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Galaxy.LocalHosting.Control;

/// <summary>
/// An HTTP API on loopback, behind a token, over an <see cref="IProcessControl"/>: list, start, stop, restart, kill,
/// show output. Address, token and process id are in <c>runner.json</c> of the data folder, readable by its owner only.
/// </summary>
public sealed class ControlApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _file;

    private ControlApi(WebApplication app, string file) => (_app, _file) = (app, file);

    public static async Task<ControlApi> StartAsync(
        IProcessControl processes,
        string dataFolder,
        CancellationToken cancellationToken = default
    )
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = dataFolder });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Use(
            async (context, next) =>
            {
                if (IsAllowed(context.Request.Headers.Authorization.ToString(), token))
                    await next(context);
                else
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            }
        );
        Map(app, processes);
        await app.StartAsync(cancellationToken);

        var file = Path.Combine(dataFolder, "runner.json");
        await WritePrivateAsync(
            file,
            JsonSerializer.Serialize(
                new
                {
                    url = app.Urls.First(),
                    token,
                    pid = Environment.ProcessId,
                }
            )
        );
        return new ControlApi(app, file);
    }

    private static bool IsAllowed(string header, string token) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(header)),
            SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + token))
        );

    private static async Task WritePrivateAsync(string file, string text)
    {
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var stream = new FileStream(file, options);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    private static void Map(IEndpointRouteBuilder app, IProcessControl processes)
    {
        app.MapGet("/resources", processes.List);
        app.MapGet("/resources/{name}/logs", (string name) =>
            processes.Output(name) is { } lines ? Results.Text(string.Join('\n', lines) + "\n") : Results.NotFound()
        );
        app.MapPost("/resources/{name}/start", async (string name, CancellationToken cancellationToken) =>
            Answer(await processes.StartAsync(name, cancellationToken))
        );
        app.MapPost("/resources/{name}/stop", async (string name, CancellationToken cancellationToken) =>
            Answer(await processes.StopAsync(name, cancellationToken))
        );
        app.MapPost("/resources/{name}/restart", async (string name, CancellationToken cancellationToken) =>
            Answer(
                await processes.StopAsync(name, cancellationToken)
                    && await processes.StartAsync(name, cancellationToken)
            )
        );
        app.MapPost("/resources/{name}/kill", (string name) =>
            processes.Kill(name) is { } pid
                ? Results.Json(new { pid }, statusCode: StatusCodes.Status202Accepted)
                : Results.NotFound()
        );
    }

    private static IResult Answer(bool found) => found ? Results.Accepted() : Results.NotFound();

    public async ValueTask DisposeAsync()
    {
        File.Delete(_file);
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
