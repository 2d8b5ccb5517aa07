using System.Globalization;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Providers;
using Microsoft.Extensions.Primitives;

namespace Galaxy.OneApi.Routing;

/// <param name="Weight">Its share under <c>weighted</c>.</param>
/// <param name="Priority">Lower ones are asked first; others only when these fail.</param>
internal sealed record RouteMember(string Model, double Weight, int Priority);

/// <summary>A name that stands for several models.</summary>
internal sealed record ModelRoute(string Name, string Strategy, IReadOnlyList<RouteMember> Members)
{
    public IReadOnlyList<string> Fallbacks { get; init; } = [];
    public IReadOnlyList<string> OnContext { get; init; } = [];
    public IReadOnlyList<string> OnFilter { get; init; } = [];

    public static IReadOnlyList<string> Strategies { get; } =
    ["order", "weighted", "latency", "cost", "least_busy", "sticky"];
}

/// <summary>Dollars for a million tokens.</summary>
/// <param name="Model">A pattern with * over <c>provider/model</c>.</param>
internal sealed record Price(string Model, double Input, double Output, double? CachedInput)
{
    /// <summary>In billionths of a dollar, so that sums are exact.</summary>
    public long Of(int input, int cached, int output)
    {
        var fresh = Math.Max(0, input - cached);
        return (long)Math.Ceiling((fresh * Input + cached * (CachedInput ?? Input) + output * Output) * 1000);
    }
}

/// <summary>
/// The document <c>config/models</c> as it is now: routes, the order of <c>auto</c>, prices, cache, log. Thread-safe.
/// </summary>
internal sealed partial class ModelRules : IDisposable
{
    public sealed record Rules(
        IReadOnlyDictionary<string, ModelRoute> Routes,
        IReadOnlyList<string> Auto,
        IReadOnlyList<Price> Prices,
        TimeSpan CacheTtl,
        bool Log,
        TimeSpan ResponseTtl
    );

    private readonly IConfiguration _configuration;
    private readonly ILogger<ModelRules> _log;
    private readonly IDisposable _reloads;
    private volatile Rules _current;

    public ModelRules(IConfiguration configuration, ILogger<ModelRules> log)
    {
        (_configuration, _log) = (configuration, log);
        _current = TryRead() ?? Read(new ConfigurationBuilder().Build().GetSection("none"));
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, () => _current = TryRead() ?? _current);
    }

    public Rules Current => _current;

    public Price? PriceOf(string id) => _current.Prices.FirstOrDefault(price => ModelPattern.Matches(price.Model, id));

    private Rules? TryRead()
    {
        try
        {
            return Read(_configuration.GetSection("OneApi:Models"));
        }
        catch (FormatException bad)
        {
            LogRefused(bad.Message);
            return null;
        }
    }

    private static Rules Read(IConfigurationSection section) =>
        new(
            section
                .GetSection("Routes")
                .GetChildren()
                .Select(ReadRoute)
                .ToDictionary(route => route.Name, StringComparer.Ordinal),
            Texts(section.GetSection("Auto")) is { Count: > 0 } auto ? auto : KnownProviders.AutoOrder,
            [.. section.GetSection("Prices").GetChildren().Select(ReadPrice)],
            TimeSpan.FromSeconds(Number(section["CacheTtlSeconds"], 0)),
            Flag(section["Log"]),
            TimeSpan.FromDays(Number(section["ResponseTtlDays"], 30))
        );

    private static ModelRoute ReadRoute(IConfigurationSection section)
    {
        var name = section["Name"] ?? throw new FormatException($"route {section.Key} has no name");
        var strategy = section["Strategy"] ?? "order";
        if (!ModelRoute.Strategies.Contains(strategy))
            throw new FormatException(
                $"route '{name}': the strategy '{strategy}' is not one of {string.Join(", ", ModelRoute.Strategies)}"
            );
        var members = section
            .GetSection("Targets")
            .GetChildren()
            .Select(member => new RouteMember(
                member["Model"] ?? throw new FormatException($"route '{name}': a target has no model"),
                Number(member["Weight"], 1),
                (int)Number(member["Priority"], 1)
            ))
            .ToList();
        if (members.Count == 0)
            throw new FormatException($"route '{name}' has no targets");
        return new ModelRoute(name, strategy, members)
        {
            Fallbacks = Texts(section.GetSection("Fallbacks")),
            OnContext = Texts(section.GetSection("ContextFallbacks")),
            OnFilter = Texts(section.GetSection("ContentFilterFallbacks")),
        };
    }

    private static Price ReadPrice(IConfigurationSection section) =>
        new(
            section["Model"] ?? throw new FormatException($"price {section.Key} names no model"),
            Number(section["Input"], 0),
            Number(section["Output"], 0),
            section["CachedInput"] is { } cached ? Number(cached, 0) : null
        );

    private static List<string> Texts(IConfigurationSection section) =>
        [.. section.GetChildren().Select(item => item.Value).OfType<string>()];

    private static bool Flag(string? text) => bool.TryParse(text, out var flag) && flag;

    private static double Number(string? text, double otherwise) =>
        text is null ? otherwise
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? number
        : throw new FormatException($"'{text}' is no number from 0 up");

    public void Dispose() => _reloads.Dispose();

    [LoggerMessage(Level = LogLevel.Error, Message = "The new model rules are not used, the last ones stay: {Reason}")]
    private partial void LogRefused(string reason);
}
