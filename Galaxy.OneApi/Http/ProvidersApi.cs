using Galaxy.Contracts.Api;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Routing;
using Galaxy.ServiceDefaults.Configuration;

namespace Galaxy.OneApi.Http;

/// <summary><c>GET /api/v1/providers</c>: the providers that this process can ask, and their state.</summary>
internal static class ProvidersApi
{
    private const string Ready = "ready",
        Resting = "resting",
        Refused = "refused",
        Ailing = "ailing";

    public static void MapProvidersApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGet("/api/v1/providers", (ProviderCatalog providers, KeyRing keys, TargetStats stats) =>
                Read(providers, keys, stats)
            )
            .WithSummary(
                "Where models are: providers with the hints of their keys, health and latency as the "
                    + "answering process sees them"
            );

    private static List<ProviderView> Read(ProviderCatalog providers, KeyRing keys, TargetStats stats)
    {
        var asked = stats.All.ToLookup(model => model.Id[..model.Id.IndexOf('/', StringComparison.Ordinal)]);
        return
        [
            new ProviderView(
                ProviderCatalog.BuiltIn,
                "",
                "built-in",
                Ready,
                [],
                null,
                [.. asked[ProviderCatalog.BuiltIn]]
            ),
            .. providers
                .All.OrderBy(provider => provider.Name, StringComparer.Ordinal)
                .Select(provider => View(provider, keys, [.. asked[provider.Name]])),
        ];
    }

    private static ProviderView View(Provider provider, KeyRing ring, IReadOnlyList<ProviderModelView> models)
    {
        var keys = provider
            .Keys.Select(key =>
                ring.RestOf(provider, key) is { } rest
                    ? new ProviderKeyView(
                        ConfigSecrets.HintOf(key),
                        rest.IsRefused ? Refused : Resting,
                        Math.Round(rest.Left.TotalMilliseconds)
                    )
                    : new ProviderKeyView(ConfigSecrets.HintOf(key), Ready, null)
            )
            .ToList();
        var state =
            keys.Count > 0 && keys.TrueForAll(key => key.State == Refused) ? Refused
            : keys.Count > 0 && keys.TrueForAll(key => key.State != Ready) ? Resting
            : models.Any(model => model.FailuresInARow >= TargetStats.AilingAfter) ? Ailing
            : Ready;
        return new ProviderView(
            provider.Name,
            provider.BaseUrl.ToString(),
            provider.DialectName,
            state,
            keys,
            provider.DefaultModel,
            models
        );
    }
}
