using System.Text;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>The APIs of the replicated state over HTTP, on one replica of its own.</summary>
internal sealed class StateServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StateServer(WebApplication app, OneReplica replica) => (_app, Replica) = (app, replica);

    public OneReplica Replica { get; }

    public HttpClient Http { get; } = new();

    public static async Task<StateServer> StartAsync()
    {
        var replica = new OneReplica("a");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(replica.Replica).AddSingleton(replica.Journal);
        var app = builder.Build();
        app.MapStateApi();
        app.MapConflictApi();
        app.MapSnapshotApi();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new StateServer(app, replica);
        await app.StartAsync();
        server.Http.BaseAddress = new Uri(app.Urls.Single());
        return server;
    }

    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>The value that this node has; null: none.</summary>
    public string? Stored(string ns, string key = "key") =>
        Replica.Replica.Get(ns, key) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        Replica.Dispose();
    }
}
