using System.Globalization;

namespace Galaxy.LocalHosting.Description;

/// <summary>Reads <see cref="SystemOptions"/> from a command line, and refuses what nothing would read.</summary>
public static class SystemOptionsParser
{
    private const string Scenario = "--scenario";
    private const string Stores = "--stores";
    private const string Redis = "--redis";
    private const string NoWorkers = "--no-workers";
    private const string Ports = "--ports";
    private const string HelpOption = "--help";
    private const string Programs = "--programs";

    private static readonly string[] Own = [Scenario, Stores, Redis, NoWorkers, Ports, HelpOption, Programs];

    // Options of the host that publishes and of the command line tools that start it. Each takes a value.
    private static readonly string[] OfTheHost =
    [
        "--operation",
        "--publisher",
        "--output-path",
        "--step",
        "--log-level",
        "--environment",
        "--contentRoot",
        "--applicationName",
    ];

    public static string HelpText { get; } =
        $"""
            Starts Galaxy on this machine, with the Aspire dashboard.

            dotnet run --project Galaxy.AppHost [-- options]

              {Scenario} {string.Join(" | ", SystemLayout.Scenarios)}
                                     which nodes there are; default multi-master: three coordinators
              {Stores} {string.Join(" | ", SystemLayout.StoreCounts)}      how many stores make the quorum; 1
              {Redis} <store>        {StoreChoice.Allowed}; embedded
              {NoWorkers}           without the two demo workers
              {Ports} any            free ports instead of {string.Join(
                ", ",
                GalaxyServices.PublicPorts.Values
            )} and 18888;
                                     with --GALAXY_DATA <folder>: a second Galaxy on this machine
              --<SETTING> <value>    a port or a setting that is the same for all services, for instance --API_PORT 9000:
                                     {string.Join(", ", KnownSettings.All.Take(12))} … (docs/operations.md)
              {HelpOption}                 this text
            """;

    /// <exception cref="SystemOptionException">An option is unknown, or a value is not allowed.</exception>
    public static SystemOptions Parse(IReadOnlyList<string> arguments)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var host = new List<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments[i]);
            if (name is NoWorkers or HelpOption or "-h" or "-?")
            {
                given[name is NoWorkers ? NoWorkers : HelpOption] = value ?? "true";
                continue;
            }
            var isForHost =
                OfTheHost.Contains(name, StringComparer.OrdinalIgnoreCase)
                || name.Contains(':', StringComparison.Ordinal);
            if (!isForHost && !Own.Contains(name) && !IsSetting(name))
                throw Unknown(arguments[i]);
            value ??= ++i < arguments.Count ? arguments[i] : throw new SystemOptionException($"{name} needs a value.");
            if (isForHost)
                host.AddRange([name, value]);
            else if (Own.Contains(name))
                given[name] = value;
            else
                settings[KnownSettings.Canonical(name[2..])!] = value;
        }
        var scenario = Choice(given, Scenario, "multi-master", SystemLayout.Scenarios);
        var stores = Choice(
            given,
            Stores,
            "1",
            [.. SystemLayout.StoreCounts.Select(count => count.ToString(CultureInfo.InvariantCulture))]
        );
        var store = StoreChoice.Parse(given.GetValueOrDefault(Redis, "embedded"));
        if (store.Kind == StoreKind.Address && stores != "1")
            throw new SystemOptionException(
                $"{Redis} names one store, and {Stores} {stores} asks for {stores}. Leave one of the two out."
            );
        return new SystemOptions
        {
            Layout = SystemLayout.Of(
                scenario,
                int.Parse(stores, CultureInfo.InvariantCulture),
                Choice(given, NoWorkers, "false", ["true", "false"]) == "false"
            ),
            Store = store,
            AnyPorts = Choice(given, Ports, "fixed", ["fixed", "any"]) == "any",
            Help = given.ContainsKey(HelpOption),
            Programs = given.GetValueOrDefault(Programs),
            Settings = settings,
            HostArguments = host,
        };
    }

    private static (string Name, string? Value) Split(string argument)
    {
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        return argument.StartsWith("--", StringComparison.Ordinal) && equals > 0
            ? (argument[..equals], argument[(equals + 1)..])
            : (argument, null);
    }

    private static bool IsSetting(string name) =>
        name.StartsWith("--", StringComparison.Ordinal) && KnownSettings.Canonical(name[2..]) is not null;

    private static string Choice(
        Dictionary<string, string> given,
        string option,
        string fallback,
        IReadOnlyList<string> allowed
    )
    {
        var value = given.GetValueOrDefault(option, fallback);
        return allowed.Contains(value)
            ? value
            : throw new SystemOptionException($"{option} is '{value}'. Allowed: {string.Join(", ", allowed)}.");
    }

    private static SystemOptionException Unknown(string argument)
    {
        var name = Split(argument).Name;
        var nearest = Own.Except([Programs])
            .Concat(KnownSettings.All.Select(setting => "--" + setting))
            .Select(option => (Option: option, Distance: EditDistance.Between(name, option)))
            .MinBy(candidate => candidate.Distance);
        var hint = nearest.Distance <= Math.Max(2, name.Length / 4) ? $"Did you mean {nearest.Option}? " : "";
        return new SystemOptionException($"'{argument}' is not an option. {hint}{HelpOption} lists the options.");
    }
}
