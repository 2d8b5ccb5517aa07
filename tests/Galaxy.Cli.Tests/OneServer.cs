using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Galaxy.Cli.Tests;

/// <summary>A server on this machine that answers as the test says.</summary>
internal sealed class OneServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OneServer(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(answer);
    }

    public string Url => _app.Urls.Single();

    public static async Task<OneServer> StartAsync(RequestDelegate answer)
    {
        var server = new OneServer(answer);
        await server._app.StartAsync();
        return server;
    }

    public static Task<OneServer> StartAsync(int status, string body = "", string type = "application/json") =>
        StartAsync(context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, type);
            return context.Response.WriteAsync(body);
        });

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
