using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.EndToEnd.Tests.Routing;

/// <summary>A service that is not part of Galaxy, on a socket of its own; it answers as it is told to.</summary>
internal sealed class OutsideService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _asked;

    private OutsideService(string id, Func<HttpContext, Task>? answer)
    {
        Id = id;
        Answer = answer ?? (context => SayAsync(context, $$"""{"by":"{{id}}"}"""));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null).UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public string Id { get; }

    public string Url =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public Func<HttpContext, Task> Answer { get; set; }

    /// <summary>Answers <c>/health</c>.</summary>
    public HttpStatusCode Health { get; set; } = HttpStatusCode.OK;

    /// <summary>Requests but those for health.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public ConcurrentQueue<string> Headers { get; } = new();

    public static async Task<OutsideService> StartAsync(string id, Func<HttpContext, Task>? answer = null)
    {
        var service = new OutsideService(id, answer);
        await service._app.StartAsync();
        return service;
    }

    public async Task RegisterAsync(HttpClient http, string capability, object? more = null, object? offer = null)
    {
        var request = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        request["node_id"] = Id;
        request["url"] = Url;
        request["capabilities"] = JsonSerializer.SerializeToNode(new[] { offer ?? capability });
        using var answer = await http.PostAsJsonAsync("/register", request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public static Task SayAsync(HttpContext context, string json, HttpStatusCode status = HttpStatusCode.OK)
    {
        (context.Response.StatusCode, context.Response.ContentType) = ((int)status, "application/json");
        return context.Response.WriteAsync(json);
    }

    private Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/health")
            return SayAsync(context, "{}", Health);
        Interlocked.Increment(ref _asked);
        Headers.Enqueue(string.Join('\n', context.Request.Headers.Select(header => $"{header.Key}: {header.Value}")));
        return Answer(context);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }
}
