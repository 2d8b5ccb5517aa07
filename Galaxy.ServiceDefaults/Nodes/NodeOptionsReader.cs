using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>
/// Reads <see cref="NodeOptions"/> out of the layered configuration and refuses what it does not understand.
/// </summary>
public static partial class NodeOptionsReader
{
    /// <exception cref="SettingException">A value is not allowed.</exception>
    public static NodeOptions Read(IConfiguration configuration) =>
        new()
        {
            NodeId = Name(configuration, "Galaxy_NODE_ID", Environment.MachineName),
            Cluster = Name(configuration, "Galaxy_CLUSTER", "galaxy"),
            Role = Choice(
                configuration,
                "Galaxy_NODE_ROLE",
                NodeRole.Coordinator,
                ("coordinator", NodeRole.Coordinator),
                ("standby", NodeRole.Standby),
                ("worker", NodeRole.Worker)
            ),
            FailoverMode = Choice(
                configuration,
                "FAILOVER_MODE",
                FailoverMode.ActivePassive,
                ("active-passive", FailoverMode.ActivePassive),
                ("multi-master", FailoverMode.MultiMaster)
            ),
            LeasePreset = Choice(
                configuration,
                "GALAXY_LEASE",
                "lan",
                ("local", "local"),
                ("lan", "lan"),
                ("wan", "wan")
            ),
            ApiKey = Key(configuration, "GALAXY_API_KEY"),
            OtherApiKey = Key(configuration, "GALAXY_API_KEY_ALSO"),
            MasterUrls = [.. List(configuration, "MASTER_URL").Select(text => SocketUrl("MASTER_URL", text))],
            PrimaryUrl = Text(configuration, "PRIMARY_URL") is { } primary ? SocketUrl("PRIMARY_URL", primary) : null,
            FailoverPrimary = Text(configuration, "FAILOVER_PRIMARY"),
            FailoverSecondaries = List(configuration, "FAILOVER_SECONDARIES"),
            AutoFailback = Choice(
                configuration,
                "FAILOVER_AUTO_FAILBACK",
                false,
                ("true", true),
                ("false", false),
                ("1", true),
                ("0", false)
            ),
            DataFolder = Text(configuration, "GALAXY_DATA") is { } folder
                ? Path.GetFullPath(folder)
                : DefaultDataFolder(configuration),
            CommandChecks = Choice(
                configuration,
                "GALAXY_COMMAND_CHECKS",
                false,
                ("true", true),
                ("false", false),
                ("1", true),
                ("0", false)
            ),
            MdnsEnabled = Switch(configuration, "NODE71_MDNS_ENABLED"),
            UpnpEnabled = Switch(configuration, "NODE71_UPNP_ENABLED"),
            BroadcastEnabled = Switch(configuration, "NODE71_BROADCAST_ENABLED"),
            BroadcastPort = Port(configuration, "NODE71_BROADCAST_PORT", 37021, allowZero: false),
            Bind = Text(configuration, "GALAXY_BIND"),
            Advertise = Text(configuration, "GALAXY_ADVERTISE"),
            Seeds = [.. Addresses(configuration, "Galaxy_SEEDS"), .. PrimarySeed(configuration)],
        };

    // The node that a standby follows is a coordinator, too: at its default port, or where Galaxy_SEEDS says.
    private static IEnumerable<string> PrimarySeed(IConfiguration configuration)
    {
        if (Text(configuration, "PRIMARY_URL") is { } primary && Text(configuration, "Galaxy_SEEDS") is null)
            yield return $"{SocketUrl("PRIMARY_URL", primary).Host}:9071";
    }

    // One folder a node: several may run on one machine.
    private static string DefaultDataFolder(IConfiguration configuration)
    {
        var root = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify
        );
        return Path.Combine(
            root.Length > 0 ? root : Path.GetFullPath(".galaxy"),
            "galaxy",
            Name(configuration, "Galaxy_CLUSTER", "galaxy"),
            Name(configuration, "Galaxy_NODE_ID", Environment.MachineName)
        );
    }

    /// <summary>A TCP or UDP port; 0 (where allowed) lets the system choose.</summary>
    public static int Port(IConfiguration configuration, string key, int fallback, bool allowZero = true)
    {
        if (Text(configuration, key) is not { } text)
            return fallback;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port <= 65535
            && port >= (allowZero ? 0 : 1)
            ? port
            : throw new SettingException(key, text, allowZero ? "a port, 0 to 65535" : "a port, 1 to 65535");
    }

    /// <summary>A whole number within bounds.</summary>
    public static int Whole(IConfiguration configuration, string key, int fallback, int least, int most)
    {
        if (Text(configuration, key) is not { } text)
            return fallback;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= least
            && number <= most
            ? number
            : throw new SettingException(key, text, $"a whole number, {least} to {most}");
    }

    private static string? Text(IConfiguration configuration, string key) =>
        configuration[key] is { } value && value.Trim().Length > 0 ? value.Trim() : null;

    private static string? Key(IConfiguration configuration, string setting)
    {
        var key = Text(configuration, setting);
        return key is null || (key.Length >= 8 && key.All(c => c is > ' ' and < '\x7f'))
            ? key
            : throw new SettingException(
                setting,
                new string('*', Math.Min(key.Length, 8)),
                "at least 8 printable ASCII characters without spaces"
            );
    }

    private static string Name(IConfiguration configuration, string key, string fallback)
    {
        var name = Text(configuration, key) ?? fallback;
        return NamePattern().IsMatch(name)
            ? name
            : throw new SettingException(
                key,
                name,
                "1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit"
            );
    }

    private static T Choice<T>(
        IConfiguration configuration,
        string key,
        T fallback,
        params (string Text, T Value)[] choices
    )
    {
        if (Text(configuration, key) is not { } text)
            return fallback;
        foreach (var (name, value) in choices)
        {
            if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        throw new SettingException(key, text, string.Join(", ", choices.Select(choice => choice.Text)));
    }

    private static bool Switch(IConfiguration configuration, string key) =>
        Choice(configuration, key, true, ("true", true), ("false", false), ("1", true), ("0", false));

    private static IReadOnlyList<string> List(IConfiguration configuration, string key) =>
        Text(configuration, key)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        ?? [];

    /// <summary>
    /// gRPC addresses of coordinators, with or without a scheme; names of services for <c>Galaxy_SEEDS</c>.
    /// </summary>
    /// <exception cref="SettingException">One is no address.</exception>
    public static IReadOnlyList<string> Addresses(IConfiguration configuration, string key)
    {
        var addresses = List(configuration, key);
        foreach (var address in addresses)
        {
            if (
                !Uri.TryCreate(
                    address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address,
                    UriKind.Absolute,
                    out var url
                ) || url.Scheme is not ("http" or "https")
            )
                throw new SettingException(
                    key,
                    address,
                    "addresses such as host:9071 or http://host:9071, separated by commas"
                );
        }
        return addresses;
    }

    private static Uri SocketUrl(string key, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "ws" or "wss" or "http" or "https"
            ? url
            : throw new SettingException(key, text, "an address such as ws://host:8765");

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    private static partial Regex NamePattern();
}
