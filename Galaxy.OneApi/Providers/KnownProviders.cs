namespace Galaxy.OneApi.Providers;

/// <summary>A public API that needs nothing but a key.</summary>
/// <param name="Dialect">As <see cref="ProviderDialects.Find"/> knows it.</param>
/// <param name="Keys">Variables that may hold its key; the first that is set counts.</param>
/// <param name="DefaultModel">What <c>auto</c> asks it for.</param>
internal sealed record KnownProvider(string Name, string Dialect, string Url, string DefaultModel, params string[] Keys)
{
    /// <summary>It has OpenAI's Responses API, too.</summary>
    public bool HasResponses { get; init; }

    /// <summary>What it calls the most tokens that it may write.</summary>
    public string TokensField { get; init; } = "max_tokens";
}

/// <summary>
/// Public providers by name. One more is one more line; what is not public is a line of the document
/// <c>config/providers</c>. The order is that of <c>auto</c> behind what runs at home: cheap and fast first.
/// </summary>
internal static class KnownProviders
{
    public static IReadOnlyList<KnownProvider> All { get; } =
    [
        new("groq", "openai", "https://api.groq.com/openai/v1", "llama-3.1-8b-instant", "GROQ_API_KEY"),
        new("deepseek", "openai", "https://api.deepseek.com/v1", "deepseek-chat", "DEEPSEEK_API_KEY"),
        new(
            "gemini",
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            "gemini-2.5-flash",
            "GEMINI_API_KEY",
            "GOOGLE_API_KEY"
        ),
        new("zhipu", "openai", "https://open.bigmodel.cn/api/paas/v4", "glm-4-flash", "ZHIPU_API_KEY"),
        new(
            "qwen",
            "openai",
            "https://dashscope.aliyuncs.com/compatible-mode/v1",
            "qwen-turbo",
            "DASHSCOPE_API_KEY",
            "QWEN_API_KEY"
        ),
        new(
            "together",
            "openai",
            "https://api.together.xyz/v1",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "TOGETHER_API_KEY"
        ),
        new("mistral", "openai", "https://api.mistral.ai/v1", "mistral-small-latest", "MISTRAL_API_KEY"),
        new("moonshot", "openai", "https://api.moonshot.cn/v1", "moonshot-v1-8k", "MOONSHOT_API_KEY"),
        new("openrouter", "openai", "https://openrouter.ai/api/v1", "openrouter/auto", "OPENROUTER_API_KEY"),
        new("openai", "openai", "https://api.openai.com/v1", "gpt-4o-mini", "OPENAI_API_KEY")
        {
            HasResponses = true,
            TokensField = "max_completion_tokens",
        },
        new("xai", "openai", "https://api.x.ai/v1", "grok-3-mini", "XAI_API_KEY"),
        new(
            "anthropic",
            "anthropic",
            "https://api.anthropic.com/v1",
            "claude-haiku-4-5",
            "ANTHROPIC_API_KEY",
            "CLAUDE_API_KEY"
        ),
        new("perplexity", "openai", "https://api.perplexity.ai", "sonar", "PERPLEXITY_API_KEY"),
        // The address is each customer's own: AZURE_OPENAI_ENDPOINT.
        new("azure", "azure", "", "gpt-4o-mini", "AZURE_OPENAI_API_KEY")
        {
            HasResponses = true,
            TokensField = "max_completion_tokens",
        },
    ];

    /// <summary>What runs at home comes first in <c>auto</c>.</summary>
    public static IReadOnlyList<string> AutoOrder { get; } = ["local", "ollama", .. All.Select(known => known.Name)];
}
