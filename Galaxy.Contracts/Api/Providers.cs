namespace Galaxy.Contracts.Api;

/// <summary>
/// Where models are, as <c>GET /api/v1/providers</c> of one OneApi tells it: health and latency are what that process
/// has seen.
/// </summary>
/// <param name="Dialect"><c>openai</c>, <c>azure</c>, <c>anthropic</c>, <c>gemini</c>; <c>built-in</c> for what needs
/// no network.</param>
/// <param name="State"><c>ready</c>; <c>resting</c>: every key was limited just now; <c>refused</c>: every key was
/// refused; <c>ailing</c>: a model failed three times in a row.</param>
/// <param name="Keys">As hints such as <c>sk-…1a2b</c>; none: it asks for none.</param>
public sealed record ProviderView(
    string Name,
    string Url,
    string Dialect,
    string State,
    IReadOnlyList<ProviderKeyView> Keys,
    string? DefaultModel,
    IReadOnlyList<ProviderModelView> Models
);

/// <param name="State"><c>ready</c>, <c>resting</c> or <c>refused</c>.</param>
/// <param name="RestsMs">For how long it is left alone yet; null: it is not.</param>
public sealed record ProviderKeyView(string Hint, string State, double? RestsMs);

/// <summary>A model that was asked since the process started.</summary>
/// <param name="Busy">Requests under way.</param>
/// <param name="LatencyMs">To the first token, a moving average; null: it has not answered yet.</param>
/// <param name="FailuresInARow">Three and more: others are asked first.</param>
public sealed record ProviderModelView(string Id, int Busy, double? LatencyMs, int FailuresInARow);
