using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.OneApi.Tests;

/// <summary>A request as a provider received it.</summary>
public sealed record Received(string Path, string Query, IHeaderDictionary Headers, byte[] Body)
{
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();
}

/// <summary>A provider whose every byte a test decides. Real sockets.</summary>
public sealed class FakeProvider : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeProvider(WebApplication app) => _app = app;

    public ConcurrentQueue<Received> Requests { get; } = [];

    /// <summary>What the next requests get, one each; afterwards <see cref="Always"/>.</summary>
    public ConcurrentQueue<Func<HttpContext, Task>> Next { get; } = [];

    public Func<HttpContext, Task> Always { get; set; } =
        Json(
            200,
            """{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":"""
                + """0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}],"usage":"""
                + """{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"""
        );

    public string Url { get; private set; } = "";

    /// <summary>Requests under way.</summary>
    public int Open => Volatile.Read(ref _open);

    public int Aborted => Volatile.Read(ref _aborted);

    private int _open;
    private int _aborted;

    public static async Task<FakeProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder
            .WebHost.UseUrls("http://127.0.0.1:0")
            .ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var fake = new FakeProvider(app);
        app.Run(fake.HandleAsync);
        await app.StartAsync();
        fake.Url =
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            + "/v1";
        return fake;
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = new HeaderDictionary(
            context.Request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase)
        );
        Requests.Enqueue(
            new Received(context.Request.Path, context.Request.QueryString.Value ?? "", headers, body.ToArray())
        );
        Interlocked.Increment(ref _open);
        context.RequestAborted.Register(() => Interlocked.Increment(ref _aborted));
        try
        {
            await (Next.TryDequeue(out var next) ? next : Always)(context);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    public static Func<HttpContext, Task> Json(int status, string json, params (string Name, string Value)[] headers) =>
        async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            foreach (var (name, value) in headers)
                context.Response.Headers[name] = value;
            await context.Response.WriteAsync(json);
        };

    /// <summary>Pieces as they are, one after the other; then the end of the stream.</summary>
    public static Func<HttpContext, Task> Stream(params string[] pieces) =>
        async context =>
        {
            context.Response.ContentType = "text/event-stream";
            foreach (var piece in pieces)
            {
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(piece));
                await context.Response.Body.FlushAsync();
            }
        };

    /// <summary>Pieces, and then a connection that ends though more was promised.</summary>
    public static Func<HttpContext, Task> Torn(params string[] pieces) =>
        context =>
        {
            context.Response.ContentLength = pieces.Sum(Encoding.UTF8.GetByteCount) + 1000;
            return Stream(pieces)(context);
        };

    /// <summary>Pieces, and then nothing at all until the caller has gone.</summary>
    public static Func<HttpContext, Task> Hanging(params string[] pieces) =>
        async context =>
        {
            if (pieces.Length > 0)
                await Stream(pieces)(context);
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
