using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Models;

/// <summary>
/// The models that providers have. A provider's list is cached for a minute; after that the next reader still gets the
/// cached list, while the provider is asked again in the background. Thread-safe.
/// </summary>
internal sealed partial class ModelDirectory
{
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private sealed record Listed(IReadOnlyList<string> Models, IReadOnlySet<string> Names, DateTimeOffset At);

    private readonly ConcurrentDictionary<string, Listed> _listed = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Task<Listed>> _asking = new(StringComparer.OrdinalIgnoreCase);

    private readonly ProviderCatalog _providers;
    private readonly Upstream _upstream;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelDirectory> _log;

    public ModelDirectory(ProviderCatalog providers, Upstream upstream, TimeProvider time, ILogger<ModelDirectory> log)
    {
        (_providers, _upstream, _time, _log) = (providers, upstream, time, log);
        // A provider that changed its address is asked anew.
        providers.Changed += _listed.Clear;
    }

    /// <summary>The provider that has a model of that bare name; null: none.</summary>
    public async ValueTask<Provider?> OwnerAsync(string name, CancellationToken cancellation)
    {
        foreach (var provider in _providers.All)
        {
            if (
                provider.DefaultModel == name
                || provider.Models.Contains(name)
                || (provider.Models.Count == 0 && (await KnownAsync(provider, cancellation)).Names.Contains(name))
            )
                return provider;
        }
        return null;
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(Provider provider, CancellationToken cancellation) =>
        provider.Models.Count > 0 ? provider.Models : (await KnownAsync(provider, cancellation)).Models;

    private ValueTask<Listed> KnownAsync(Provider provider, CancellationToken cancellation)
    {
        if (_listed.TryGetValue(provider.Name, out var known))
        {
            if (_time.GetUtcNow() - known.At > Remember)
                _ = AskOnceAsync(provider);
            return new(known);
        }
        return new(AskOnceAsync(provider).WaitAsync(cancellation));
    }

    // It never throws: what goes wrong is an empty list and a line in the log.
    private Task<Listed> AskOnceAsync(Provider provider) => _asking.GetOrAdd(provider.Name, _ => Task.Run(async () =>
            {
                try
                {
                    return _listed[provider.Name] = await AskAsync(provider);
                }
                finally
                {
                    _asking.TryRemove(provider.Name, out Task<Listed>? _);
                }
            }));

    private async Task<Listed> AskAsync(Provider provider)
    {
        IReadOnlyList<string> models = [];
        try
        {
            using var patience = new CancellationTokenSource(Patience, _time);
            var path = provider.Dialect.Wire switch
            {
                Wire.Messages => "/models?limit=1000",
                Wire.Gemini => "/models?pageSize=1000",
                _ => "/models",
            };
            using var response = await _upstream.SendAsync(
                provider,
                provider.Keys.Count > 0 ? provider.Keys[0] : null,
                HttpMethod.Get,
                path,
                patience.Token
            );
            response.EnsureSuccessStatusCode();
            var json = JsonNode.Parse(await response.Content.ReadAsStringAsync(patience.Token));
            models =
            [
                .. ((json.Get("data") ?? json.Get("models") ?? json) as JsonArray ?? [])
                    .Select(NameOf)
                    .OfType<string>(),
            ];
        }
        catch (Exception failure)
            when (failure
                    is HttpRequestException
                        or IOException
                        or JsonException
                        or InvalidOperationException
                        or OperationCanceledException
            )
        {
            LogListFailed(
                provider.Name,
                failure is OperationCanceledException ? $"no answer for {Patience.TotalSeconds:0} s" : failure.Message
            );
        }
        return new Listed(models, models.ToHashSet(StringComparer.Ordinal), _time.GetUtcNow());
    }

    // Gemini puts a folder before its names.
    private static string? NameOf(JsonNode? model) =>
        ChatAnswer.Text(model.Get("id"))
        ?? (
            ChatAnswer.Text(model.Get("name")) is { } name
                ? name.StartsWith("models/", StringComparison.Ordinal)
                    ? name[7..]
                    : name
                : null
        );

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} does not list its models: {Reason}")]
    private partial void LogListFailed(string provider, string reason);
}
