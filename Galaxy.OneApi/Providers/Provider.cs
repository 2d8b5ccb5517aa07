using System.Net.Http.Headers;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Anthropic;
using Galaxy.OneApi.Dialects.Gemini;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Dialects.Plain;

namespace Galaxy.OneApi.Providers;

/// <summary>A provider of models: its address and its dialect. Immutable.</summary>
/// <param name="BaseUrl">Up to and including the version, for instance <c>https://api.openai.com/v1</c>.</param>
internal sealed record Provider(string Name, Uri BaseUrl, string DialectName)
{
    /// <summary>One for each request in turn; empty: it asks for none.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Named by configuration; empty: asked of the provider.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What <c>auto</c> asks it for; null: the first that it lists.</summary>
    public string? DefaultModel { get; init; }

    /// <summary>It has OpenAI's Responses API, too: such requests pass through.</summary>
    public bool HasResponses { get; init; }

    /// <summary>Unsupported fields are dropped, and named in a header, instead of refused.</summary>
    public bool DropParams { get; init; }

    /// <summary>A provider that sends nothing for that long has hung.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(120);

    public string TokensField { get; init; } = "max_tokens";

    public ProviderDialect Dialect { get; } =
        ProviderDialects.Find(DialectName) ?? throw new ArgumentException(DialectName);

    private readonly string _root = BaseUrl.ToString().TrimEnd('/');

    public Uri Address(string path) => new(_root + path);

    /// <summary>The dialect to use for a client of that dialect: the same one if the provider supports it.</summary>
    /// <returns>Null: it has no such thing.</returns>
    public ProviderDialect? DialectFor(Wire client) =>
        client switch
        {
            Wire.Embeddings or Wire.Images or Wire.Speech or Wire.Transcriptions or Wire.Moderations or Wire.Rerank =>
                Dialect.Wire == Wire.Chat ? PlainProvider.Of(client) : null,
            Wire.Responses when HasResponses => ProviderDialects.Responses,
            Wire.Completions when Dialect.Wire == Wire.Chat => ProviderDialects.Completions,
            _ when Dialect.Wire == Wire.Chat && TokensField != "max_tokens" => ProviderDialects.NewerChat,
            _ => Dialect,
        };

    public void Authorise(HttpRequestHeaders headers, string? key)
    {
        switch (DialectName)
        {
            case "anthropic":
                headers.TryAddWithoutValidation("x-api-key", key);
                if (!headers.Contains("anthropic-version"))
                    headers.TryAddWithoutValidation("anthropic-version", "2023-06-01");
                break;
            case "gemini" when key is not null:
                headers.TryAddWithoutValidation("x-goog-api-key", key);
                break;
            case "azure" when key is not null:
                headers.TryAddWithoutValidation("api-key", key);
                break;
            case var _ when key is not null:
                headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                break;
        }
    }
}

/// <summary>The dialects by the names that configuration uses.</summary>
internal static class ProviderDialects
{
    private static readonly ChatProvider Chat = new();
    private static readonly MessagesProvider Messages = new();
    private static readonly GeminiProvider Gemini = new();

    public static ChatProvider NewerChat { get; } = new("max_completion_tokens");

    public static ResponsesProvider Responses { get; } = new();

    public static CompletionsProvider Completions { get; } = new();

    public static ProviderDialect? Find(string name) =>
        name switch
        {
            "openai" or "azure" => Chat,
            "anthropic" => Messages,
            "gemini" => Gemini,
            _ => null,
        };
}
