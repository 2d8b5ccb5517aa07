using System.Globalization;

namespace Galaxy.LocalHosting.Description;

/// <summary>What a development system is asked to be, by the command line of the AppHost.</summary>
public sealed record SystemOptions
{
    private static readonly string[] OfTheSystem =
    [
        ServiceEnvironment.Data,
        ServiceEnvironment.ApiKey,
        "DASHBOARD_PORT",
    ];

    public required SystemLayout Layout { get; init; }

    public required StoreChoice Store { get; init; }

    /// <summary>
    /// Whether every public port is a free one, so that a second system can run beside the first: <c>--ports any</c>.
    /// </summary>
    public bool AnyPorts { get; init; }

    /// <summary>Whether only the options are explained: <c>--help</c>.</summary>
    public bool Help { get; init; }

    /// <summary>
    /// A folder with the programs of another version, published as <c>deploy/machine.proj</c> does; null: the built
    /// ones.
    /// </summary>
    public string? Programs { get; init; }

    /// <summary>Settings that were given on the command line; every service gets them.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>
    /// The settings that every service gets as environment variables; the others say something of the system as a
    /// whole.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> ServiceSettings =>
        Settings.Where(setting =>
            !GalaxyServices.PublicPorts.ContainsKey(setting.Key) && !OfTheSystem.Contains(setting.Key)
        );

    /// <summary>What is meant for the host and not for Galaxy, for instance <c>--operation publish</c>.</summary>
    public IReadOnlyList<string> HostArguments { get; init; } = [];

    /// <summary>A setting of the command line, or of the environment; null when it is absent or empty.</summary>
    public string? Setting(string name) =>
        (Settings.TryGetValue(name, out var given) ? given : Environment.GetEnvironmentVariable(name))
            is { Length: > 0 } value
            ? value
            : null;

    /// <summary>The port of a public endpoint; null: any free one.</summary>
    /// <exception cref="SystemOptionException">The setting is not a port.</exception>
    public int? Port(EndpointDescription endpoint)
    {
        if (!endpoint.IsPublic)
            return null;
        if (Setting(endpoint.Variable!) is not { Length: > 0 } text)
            return AnyPorts ? null : endpoint.Port;
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            throw new SystemOptionException(
                $"{endpoint.Variable} is '{text}'. Allowed: a port, 1 to 65535, or 0 for a free one."
            );
        return port == 0 ? null : port;
    }
}
