using System.Collections.Concurrent;
using System.Text.Json;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Models;

/// <summary>Which models there are and whose they are. What upstreams list is remembered for a minute. Thread-safe.</summary>
internal sealed partial class ModelDirectory
{
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, (IReadOnlyList<string> Models, DateTimeOffset At)> _listed = new(StringComparer.OrdinalIgnoreCase);

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

    public IEnumerable<string> ProviderNames => _providers.Names;

    /// <summary>The provider of <c>provider/model</c>, or the one that lists the bare name; null when there is none.</summary>
    public async Task<(Provider? Provider, string Model)> ResolveAsync(string name, CancellationToken cancellation)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && _providers.Find(name[..slash]) is { } named)
            return (named, name[(slash + 1)..]);
        foreach (var provider in _providers.All)
        {
            if ((await ListAsync(provider, cancellation)).Contains(name))
                return (provider, name);
        }
        return (null, name);
    }

    /// <summary>Every model as <c>provider/model</c>.</summary>
    public async Task<IReadOnlyList<(string Id, string Owner)>> ListAsync(CancellationToken cancellation)
    {
        var lists = await Task.WhenAll(_providers.All.Select(async provider =>
            (await ListAsync(provider, cancellation)).Select(model => ($"{provider.Name}/{model}", provider.Name))));
        return [(Chat.EchoModel.Name, ProviderCatalog.BuiltIn), .. lists.SelectMany(list => list)];
    }

    private async Task<IReadOnlyList<string>> ListAsync(Provider provider, CancellationToken cancellation)
    {
        if (provider.Models.Count > 0)
            return provider.Models;
        if (_listed.TryGetValue(provider.Name, out var known) && _time.GetUtcNow() - known.At < Remember)
            return known.Models;
        IReadOnlyList<string> models = [];
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            using var response = await _upstream.GetAsync(provider, "/models", patience.Token);
            response.EnsureSuccessStatusCode();
            using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(patience.Token));
            models = [.. document.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()).OfType<string>()];
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            LogListFailed(provider.Name, failure.Message);
        }
        _listed[provider.Name] = (models, _time.GetUtcNow());
        return models;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} does not list its models: {Reason}")]
    private partial void LogListFailed(string provider, string reason);
}
