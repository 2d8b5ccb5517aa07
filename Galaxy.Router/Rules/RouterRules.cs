using Galaxy.Core.Routing;
using Microsoft.Extensions.Primitives;

namespace Galaxy.Router.Rules;

/// <summary>
/// The rules of the configuration document <c>router</c>, as they are now. What cannot be used leaves the last rules in
/// force. Thread-safe.
/// </summary>
internal sealed partial class RouterRules : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly ILogger<RouterRules> _log;
    private readonly IDisposable _reloads;
    private volatile IReadOnlyList<RouteRule> _current;

    public RouterRules(IConfiguration configuration, ILogger<RouterRules> log)
    {
        (_configuration, _log) = (configuration, log);
        _current = TryRead() ?? [];
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Raised after <see cref="Current"/> has changed, on any thread.</summary>
    public event Action? Changed;

    public IReadOnlyList<RouteRule> Current => _current;

    private void Reload()
    {
        if (TryRead() is not { } rules)
            return;
        _current = rules;
        Changed?.Invoke();
    }

    private List<RouteRule>? TryRead()
    {
        try
        {
            return [.. _configuration.GetSection("Router:Rules").GetChildren().Select(ReadRule)];
        }
        catch (FormatException bad)
        {
            LogRefused(bad.Message);
            return null;
        }
    }

    private static RouteRule ReadRule(IConfigurationSection section)
    {
        var name = section["Name"] ?? $"rule {section.Key}";
        var match = section.GetSection("Match");
        if (match["Labels"] is { } labels && Labels.Complaint(labels) is { } complaint)
            throw new FormatException($"'{name}': {complaint}");
        var strategy = section["Strategy"];
        List<IReadOnlyList<TargetSelector>> groups = [];
        if (Selectors(name, section.GetSection("Targets")) is { Count: > 0 } targets)
            groups.Add(targets);
        // Each fallback is a group of its own: they are taken in order.
        groups.AddRange(
            Selectors(name, section.GetSection("Fallbacks"))
                .Select(fallback => (IReadOnlyList<TargetSelector>)[fallback])
        );
        return new RouteRule(name)
        {
            Capability = match["Capability"],
            Model = match["Model"],
            Caller = match["Caller"],
            Labels = match["Labels"],
            Groups = groups,
            Strategy = strategy is null
                ? null
                : RouteStrategies.Find(strategy)
                    ?? throw new FormatException(
                        $"'{name}': the strategy '{strategy}' is not one of {RouteStrategies.Names}"
                    ),
        };
    }

    private static List<TargetSelector> Selectors(string rule, IConfigurationSection section) =>
        [
            .. section
                .GetChildren()
                .Select(child =>
                    child.Value is { } text && TargetSelector.Complaint(text) is null
                        ? new TargetSelector(text)
                        : throw new FormatException($"'{rule}': {TargetSelector.Complaint(child.Value ?? "")}")
                ),
        ];

    public void Dispose() => _reloads.Dispose();

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The new routing rules are not used, the last ones stay: {Reason}"
    )]
    private partial void LogRefused(string reason);
}
