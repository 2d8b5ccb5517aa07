using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Gateway.Routing;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Scalar.AspNetCore;

namespace Galaxy.Gateway.Documents;

/// <summary>
/// The document of everything that the gateway's clients can ask, asked of the services and kept for a while.
/// Thread-safe.
/// </summary>
internal sealed class MergedDocument(ClusterWatcher watcher, IHttpClientFactory http, TimeProvider time) : IDisposable
{
    /// <summary>The client that signs its requests.</summary>
    public const string Client = "documents";

    private static readonly (string Kind, string Path)[] Sources =
    [
        ("coordinator", "/openapi/v1.json"),
        ("router", "/openapi/router.json"),
        ("oneapi", "/openapi/oneapi.json"),
        ("discovery", "/openapi/discovery.json"),
        ("console", "/openapi/console.json"),
    ];

    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(30);

    /// <summary>While a service could not be asked: it is asked again soon.</summary>
    private static readonly TimeSpan KeptIncomplete = TimeSpan.FromSeconds(2);

    /// <summary>The first time a service makes its document costs seconds on a busy machine.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly Dictionary<string, JsonObject> _known = new(StringComparer.Ordinal);
    private (long Made, TimeSpan Kept, string Json)? _merged;

    /// <summary>
    /// A service that cannot be asked now is described as it was last time. One that never answered is missing, and
    /// <c>info.x-galaxy-missing</c> names it.
    /// </summary>
    public async Task<string> ReadAsync(CancellationToken cancellation)
    {
        if (_merged is { } fresh && time.GetElapsedTime(fresh.Made) < fresh.Kept)
            return fresh.Json;
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            if (_merged is { } made && time.GetElapsedTime(made.Made) < made.Kept)
                return made.Json;
            var asked = await Task.WhenAll(Sources.Select(source => AskAsync(source.Kind, source.Path, cancellation)));
            foreach (var (kind, document) in asked.Where(one => one.Document is not null))
                _known[kind] = document!;
            var info = new JsonObject
            {
                ["title"] = "Galaxy",
                ["version"] = BuildVersion.Text,
                ["description"] =
                    "One address for the cluster: devices and tasks, routing and tools, models, state, "
                    + "failover. 'x-galaxy-role' says which role a call needs, 'x-galaxy-viewer' that a "
                    + "viewer may make it, too.",
            };
            var missing = Sources.Select(source => source.Kind).Where(kind => !_known.ContainsKey(kind)).ToList();
            if (missing.Count > 0)
                info["x-galaxy-missing"] = new JsonArray([.. missing.Select(kind => JsonValue.Create(kind))]);
            var json = DocumentMerge
                .Merge(
                    info,
                    Sources
                        .Where(source => _known.ContainsKey(source.Kind))
                        .Select(source => (source.Kind, _known[source.Kind])),
                    GatewayRoutes.KindOf
                )
                .ToJsonString(GalaxyJson.Options);
            _merged = (time.GetTimestamp(), asked.All(one => one.Document is not null) ? Kept : KeptIncomplete, json);
            return json;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<(string Kind, JsonObject? Document)> AskAsync(
        string kind,
        string path,
        CancellationToken cancellation
    )
    {
        var view = watcher.Current;
        var url =
            kind == "coordinator"
                ? view.UsableLeader?.Url ?? view.Reachable.FirstOrDefault()?.Url
                : view.Services.FirstOrDefault(service => service.Kind == kind)?.Url;
        if (url is null)
            return (kind, null);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Timeout);
        try
        {
            using var client = http.CreateClient(Client);
            return (
                kind,
                JsonNode.Parse(await client.GetStringAsync(new Uri(url.TrimEnd('/') + path), patience.Token))
                    as JsonObject
            );
        }
        catch (Exception failure)
            when (failure
                    is HttpRequestException
                        or JsonException
                        or OperationCanceledException
                        or Polly.ExecutionRejectedException
            )
        {
            return (kind, null);
        }
    }

    public void Dispose() => _oneAtATime.Dispose();
}

/// <summary><c>/openapi.json</c>, and <c>/docs</c> for people.</summary>
internal static class DocumentEndpoints
{
    public static void AddDocuments(this IServiceCollection services)
    {
        services.AddSingleton<MergedDocument>();
        services
            .AddHttpClient(MergedDocument.Client)
            .AddHttpMessageHandler(provider => new SigningHandler(provider.GetRequiredService<ServiceTokens>()));
    }

    // Open: they say what can be asked, not what is answered, and so does the source.
    public static void MapDocuments(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/openapi.json", async (MergedDocument document, CancellationToken cancellation) =>
                Results.Text(await document.ReadAsync(cancellation), "application/json")
            )
            .AllowAnonymous();
        endpoints
            .MapScalarApiReference("/docs", options =>
                options.WithTitle("Galaxy").WithOpenApiRoutePattern("/openapi.json")
            )
            .AllowAnonymous();
    }
}
