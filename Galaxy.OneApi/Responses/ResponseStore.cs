using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Responses;

/// <summary>A response that can be fetched or continued.</summary>
/// <param name="Caller">The only caller that may see it.</param>
/// <param name="Provider">The provider that keeps it; null: this service keeps it.</param>
/// <param name="Response">As the client got it; null where the provider keeps it.</param>
/// <param name="Items">The whole conversation up to this response, and its answer: a next request begins with these
/// items.</param>
internal sealed record StoredResponse(
    string Caller,
    string? Provider,
    JsonObject? Response,
    JsonArray? Input,
    JsonArray? Items
);

/// <summary>Responses by id, in the store, for <c>response_ttl_days</c>. Thread-safe.</summary>
internal sealed class ResponseStore(GovernanceStore store, ModelRules rules)
{
    public bool IsThere => store.IsThere;

    /// <exception cref="StoreMissingException">The store does not answer.</exception>
    public async Task<StoredResponse?> FindAsync(string id, Caller caller)
    {
        var value = await store.UseAsync(db => db.StringGetAsync(store.Key("response:" + id)));
        return
            value.HasValue
            && JsonSerializer.Deserialize<StoredResponse>((string)value!, Sse.Json) is { } found
            && found.Caller == caller.Id
            ? found
            : null;
    }

    /// <exception cref="StoreMissingException">The store does not answer.</exception>
    public Task KeepAsync(string id, StoredResponse response) =>
        store.UseAsync(db =>
            db.StringSetAsync(
                store.Key("response:" + id),
                JsonSerializer.Serialize(response, Sse.Json),
                rules.Current.ResponseTtl
            )
        );

    /// <exception cref="StoreMissingException">The store does not answer.</exception>
    public Task DeleteAsync(string id) => store.UseAsync(db => db.KeyDeleteAsync(store.Key("response:" + id)));
}
