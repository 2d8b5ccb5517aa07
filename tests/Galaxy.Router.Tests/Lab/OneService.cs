using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Galaxy.Contracts.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Galaxy.Router.Tests.Lab;

/// <summary>What a service was asked.</summary>
internal sealed record Asked(string Method, string Path, string Query, IHeaderDictionary Headers, string Body);

/// <summary>A service on this machine that answers as the test says and keeps what it was asked.</summary>
internal sealed class OneService : IAsyncDisposable
{
    private static readonly ConcurrentBag<Socket> Bound = [];

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Asked> _asked = new();

    private OneService(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            var headers = new HeaderDictionary(context.Request.Headers.ToDictionary());
            var request = context.Request;
            _asked.Enqueue(new Asked(request.Method, request.Path, request.QueryString.Value ?? "", headers, body));
            await answer(context);
        });
    }

    public IReadOnlyCollection<Asked> Asked => _asked;

    public string Url => _app.Urls.Single();

    public static async Task<OneService> StartAsync(RequestDelegate answer)
    {
        var service = new OneService(answer);
        await service._app.StartAsync();
        return service;
    }

    /// <summary>One that always answers with this status.</summary>
    public static Task<OneService> StartAsync(int status, string body = "{}") =>
        StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(body);
        });

    /// <summary>As the cluster knows it; it says of itself how much it has to do.</summary>
    public Service As(string id, double load = 0, string kind = "external") => At(id, Url, load, kind);

    public static Service At(string id, string url, double load = 0, string kind = "external") =>
        new()
        {
            Id = id,
            Kind = kind,
            Url = url,
            Layer = "tools",
            Load = load,
            Capabilities = { new Capability { Name = "echo" } },
        };

    /// <summary>An address at which nobody listens, and nobody else can until this process ends.</summary>
    public static string Nowhere()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Bound.Add(socket);
        return $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
