using System.Globalization;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>An embedded store of the cluster, opened with a password that comes from the cluster's key.</summary>
public sealed record EmbeddedStore(string Host, int Port, string Password)
{
    public string ConnectionString =>
        $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port},password={Password}";
}

/// <summary>
/// <c>GALAXY_STORES</c>: the machines that keep an embedded store; the same on every machine of the cluster.
/// </summary>
public static class EmbeddedStores
{
    public const string Setting = "GALAXY_STORES";
    public const int DefaultPort = 6379;

    private const string Allowed = "one, three or five of host or host:port, separated by commas";

    /// <summary>Empty when the setting is absent.</summary>
    /// <exception cref="SettingException">A name is no host, there are two or four, or there is no key.</exception>
    public static IReadOnlyList<EmbeddedStore> Read(IConfiguration configuration)
    {
        var text = configuration[Setting];
        var names = text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        if (names.Length == 0)
            return [];
        if (
            names.Length is not (1 or 3 or 5)
            || names.Distinct(StringComparer.OrdinalIgnoreCase).Count() != names.Length
        )
            throw new SettingException(Setting, text, Allowed);
        return [.. names.Select(name => Parse(name, Password(configuration)))];
    }

    /// <summary>The store of this machine alone.</summary>
    public static EmbeddedStore On(string host, IConfiguration configuration) =>
        new(host, DefaultPort, Password(configuration));

    // A store takes one password: while the cluster's key is changed it keeps that of the old one.
    private static string Password(IConfiguration configuration) =>
        (configuration["GALAXY_STORE_KEY"] ?? configuration["GALAXY_API_KEY"])?.Trim() is { Length: > 0 } key
            ? Convert.ToHexStringLower(ApiKey.Derive(key, "store"))
            : throw new SettingException(
                "GALAXY_API_KEY",
                null,
                "the cluster's key, from which the stores' password comes"
            );

    private static EmbeddedStore Parse(string name, string password) =>
        Uri.TryCreate("store://" + name, UriKind.Absolute, out var address)
        && address.Host.Length > 0
        && address.PathAndQuery.TrimStart('/').Length == 0
        && address.UserInfo.Length == 0
            ? new EmbeddedStore(address.Host.Trim('[', ']'), address.Port is -1 ? DefaultPort : address.Port, password)
            : throw new SettingException(
                Setting,
                name,
                Allowed + " (" + DefaultPort.ToString(CultureInfo.InvariantCulture) + " without a port)"
            );
}
