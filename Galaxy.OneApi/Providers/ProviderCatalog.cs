using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Primitives;

namespace Galaxy.OneApi.Providers;

/// <summary>An OpenAI-compatible upstream.</summary>
/// <param name="BaseUrl">Up to and including the version, for instance <c>https://api.openai.com/v1</c>.</param>
/// <param name="Models">Named by configuration; empty: asked of the upstream.</param>
internal sealed record Provider(string Name, Uri BaseUrl, string? ApiKey, IReadOnlyList<string> Models)
{
    public Uri Address(string path) => new(BaseUrl.ToString().TrimEnd('/') + path);
}

/// <summary>
/// The providers that have what they need to be used: those of the table whose key is in the environment, and whatever
/// <c>OneApi:Providers:&lt;name&gt;</c> (<c>BaseUrl</c>, <c>ApiKey</c>, <c>Models</c>) adds or overrides, from this machine's settings or
/// the cluster's. Follows changes while it runs. Thread-safe.
/// </summary>
internal sealed partial class ProviderCatalog : IDisposable
{
    /// <summary>The built-in model's provider name.</summary>
    public const string BuiltIn = "galaxy";

    // Public base addresses of OpenAI-compatible APIs, with the variables that hold their keys.
    private static readonly (string Name, string Url, string[] Keys)[] Known =
    [
        ("openai", "https://api.openai.com/v1", ["OPENAI_API_KEY"]),
        ("openrouter", "https://openrouter.ai/api/v1", ["OPENROUTER_API_KEY"]),
        ("groq", "https://api.groq.com/openai/v1", ["GROQ_API_KEY"]),
        ("together", "https://api.together.xyz/v1", ["TOGETHER_API_KEY"]),
        ("deepseek", "https://api.deepseek.com/v1", ["DEEPSEEK_API_KEY"]),
        ("zhipu", "https://open.bigmodel.cn/api/paas/v4", ["ZHIPU_API_KEY"]),
        ("moonshot", "https://api.moonshot.cn/v1", ["MOONSHOT_API_KEY"]),
        ("qwen", "https://dashscope.aliyuncs.com/compatible-mode/v1", ["DASHSCOPE_API_KEY", "QWEN_API_KEY"]),
        ("mistral", "https://api.mistral.ai/v1", ["MISTRAL_API_KEY"]),
        ("xai", "https://api.x.ai/v1", ["XAI_API_KEY"]),
        ("perplexity", "https://api.perplexity.ai", ["PERPLEXITY_API_KEY"]),
    ];

    private readonly IConfiguration _configuration;
    private readonly IDisposable _reloads;
    private readonly ILogger<ProviderCatalog> _log;
    private volatile Dictionary<string, Provider> _providers;

    /// <exception cref="SettingException">A provider's settings are not allowed.</exception>
    public ProviderCatalog(IConfiguration configuration, ILogger<ProviderCatalog> log)
    {
        (_configuration, _log) = (configuration, log);
        _providers = Read(configuration);
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Raised when providers came, went or changed.</summary>
    public event Action? Changed;

    public IReadOnlyCollection<Provider> All => _providers.Values;

    public IEnumerable<string> Names => _providers.Keys.Prepend(BuiltIn);

    public Provider? Find(string name) => _providers.GetValueOrDefault(name);

    // Requests that run keep the provider that they began with.
    private void Reload()
    {
        try
        {
            _providers = Read(_configuration);
            LogProviders(string.Join(", ", _providers.Keys));
            Changed?.Invoke();
        }
        catch (SettingException bad)
        {
            LogRefused(bad.Message);
        }
    }

    private static Dictionary<string, Provider> Read(IConfiguration configuration)
    {
        var providers = new Dictionary<string, Provider>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, url, keys) in Known)
        {
            if (keys.Select(key => configuration[key]).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value)) is { } apiKey)
                providers[name] = new Provider(name, Address($"{name} base address", configuration[$"{name.ToUpperInvariant()}_BASE_URL"] ?? url), apiKey, []);
        }
        if (configuration["LOCAL_LLM_URL"] is { Length: > 0 } local)
            providers["local"] = new Provider("local", Address("LOCAL_LLM_URL", local), null, []);
        foreach (var section in configuration.GetSection("OneApi:Providers").GetChildren())
        {
            if (section.Key.Equals(BuiltIn, StringComparison.OrdinalIgnoreCase))
                throw new SettingException("OneApi:Providers", section.Key, "any name but 'galaxy', which is built in");
            providers[section.Key] = new Provider(
                section.Key, Address(section.Path + ":BaseUrl", section["BaseUrl"]), section["ApiKey"],
                [.. section.GetSection("Models").GetChildren().Select(model => model.Value).OfType<string>()]);
        }
        return providers;
    }

    private static Uri Address(string key, string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new SettingException(key, text, "an address such as https://host/v1");

    public void Dispose() => _reloads.Dispose();

    [LoggerMessage(Level = LogLevel.Information, Message = "Providers: {Names}")]
    private partial void LogProviders(string names);

    [LoggerMessage(Level = LogLevel.Error, Message = "The new provider settings are not used, the last ones stay: {Reason}")]
    private partial void LogRefused(string reason);
}
