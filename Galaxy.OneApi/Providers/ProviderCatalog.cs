using System.Globalization;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Primitives;

namespace Galaxy.OneApi.Providers;

/// <summary>
/// The providers that have what they need to be used: those of the table whose key is in the environment, and whatever
/// <c>OneApi:Providers:&lt;name&gt;</c> adds or overrides, from this machine's settings or the cluster's. Follows
/// changes while it runs. Thread-safe.
/// </summary>
internal sealed partial class ProviderCatalog : IDisposable
{
    /// <summary>The built-in model's provider name.</summary>
    public const string BuiltIn = "galaxy";

    /// <summary>Models of devices are <c>device/&lt;id&gt;/&lt;model&gt;</c>.</summary>
    public const string Device = "device";

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
        foreach (var known in KnownProviders.All)
        {
            if (
                known.Keys.Select(key => configuration[key]).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))
                is not { } keys
            )
                continue;
            var variable =
                known.Name == "azure" ? "AZURE_OPENAI_ENDPOINT" : $"{known.Name.ToUpperInvariant()}_BASE_URL";
            var address = Address(variable, configuration[variable] is { Length: > 0 } own ? own : known.Url);
            if (known.Name == "azure" && address.AbsolutePath == "/")
                address = new Uri(address, "/openai/v1");
            providers[known.Name] = new Provider(known.Name, address, known.Dialect)
            {
                // Several keys share the load.
                Keys = keys.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                DefaultModel = known.DefaultModel,
                HasResponses = known.HasResponses,
                TokensField = known.TokensField,
            };
        }
        if (configuration["LOCAL_LLM_URL"] is { Length: > 0 } local)
            providers["local"] = new Provider("local", Address("LOCAL_LLM_URL", local), "openai");
        if (configuration["OLLAMA_HOST"] is { Length: > 0 } ollama)
            providers["ollama"] = new Provider(
                "ollama",
                Address(
                    "OLLAMA_HOST",
                    ollama.Contains("://", StringComparison.Ordinal)
                        ? $"{ollama.TrimEnd('/')}/v1"
                        : $"http://{ollama}/v1"
                ),
                "openai"
            );
        foreach (var section in configuration.GetSection("OneApi:Providers").GetChildren())
            providers[section.Key] = Read(section, providers.GetValueOrDefault(section.Key));
        return providers;
    }

    private static Provider Read(IConfigurationSection section, Provider? before)
    {
        if (
            section.Key.Equals(BuiltIn, StringComparison.OrdinalIgnoreCase)
            || section.Key.Equals(Device, StringComparison.OrdinalIgnoreCase)
        )
            throw new SettingException(
                "OneApi:Providers",
                section.Key,
                "any name but 'galaxy' and 'device', which are built in"
            );
        var known = KnownProviders.All.FirstOrDefault(known =>
            known.Name.Equals(section.Key, StringComparison.OrdinalIgnoreCase)
        );
        var dialect = section["Dialect"] ?? before?.DialectName ?? known?.Dialect ?? "openai";
        if (ProviderDialects.Find(dialect) is null)
            throw new SettingException(section.Path + ":Dialect", dialect, "openai, anthropic, gemini or azure");
        var keys = Texts(section, "ApiKeys")
            .Prepend(section["ApiKey"])
            .OfType<string>()
            .Where(key => key.Length > 0)
            .Distinct()
            .ToList();
        var patience = section["TimeoutSeconds"];
        if (
            patience is not null
            && !(
                double.TryParse(patience, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                && seconds is >= 0.1 and <= 3600
            )
        )
            throw new SettingException(section.Path + ":TimeoutSeconds", patience, "seconds from 0.1 to 3600");
        return new Provider(
            section.Key,
            Address(section.Path + ":BaseUrl", section["BaseUrl"] ?? before?.BaseUrl.ToString() ?? known?.Url),
            dialect
        )
        {
            Keys = keys.Count > 0 ? keys : before?.Keys ?? [],
            Models = Texts(section, "Models"),
            DefaultModel = section["DefaultModel"] ?? before?.DefaultModel ?? known?.DefaultModel,
            HasResponses = Flag(section, "Responses") ?? before?.HasResponses ?? false,
            DropParams = Flag(section, "DropParams") ?? false,
            Patience = patience is null
                ? TimeSpan.FromSeconds(120)
                : TimeSpan.FromSeconds(double.Parse(patience, CultureInfo.InvariantCulture)),
            TokensField = section["MaxTokensField"] ?? before?.TokensField ?? known?.TokensField ?? "max_tokens",
        };
    }

    private static List<string> Texts(IConfigurationSection section, string name) =>
        [.. section.GetSection(name).GetChildren().Select(item => item.Value).OfType<string>()];

    private static bool? Flag(IConfigurationSection section, string name) =>
        section[name] is not { } text ? null
        : bool.TryParse(text, out var flag) ? flag
        : throw new SettingException($"{section.Path}:{name}", text, "true or false");

    private static Uri Address(string key, string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new SettingException(key, text, "an address such as https://host/v1");

    public void Dispose() => _reloads.Dispose();

    [LoggerMessage(Level = LogLevel.Information, Message = "Providers: {Names}")]
    private partial void LogProviders(string names);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The new provider settings are not used, the last ones stay: {Reason}"
    )]
    private partial void LogRefused(string reason);
}
