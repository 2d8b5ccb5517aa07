using System.Net;

namespace Galaxy.ServiceDefaults.Http;

/// <summary>
/// The system's proxy for addresses on the internet, and none for what a proxy cannot reach or should not see: this
/// machine, private and link-local addresses (a model server at 192.168.1.5), names that only the local network knows,
/// and what <c>NO_PROXY</c> names. Immutable.
/// </summary>
/// <param name="system">What the environment or the operating system say.</param>
/// <param name="noProxy">
/// Separated by commas: a host name, which stands for its subdomains too (with or without a leading <c>.</c> or
/// <c>*.</c>), an address, a network such as <c>10.0.0.0/8</c>, each but the last with an optional <c>:port</c>; or
/// <c>*</c> for everything.
/// </param>
internal sealed class OutboundProxy(IWebProxy system, string? noProxy) : IWebProxy
{
    // RFC 1918, RFC 6598 (also of overlay networks), RFC 3927, RFC 4193, RFC 4291.
    private static readonly IPNetwork[] Private =
    [
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("fc00::/7"),
        IPNetwork.Parse("fe80::/10"),
    ];

    private static readonly string[] LocalSuffixes = [".localhost", ".local", ".lan", ".internal", ".home.arpa"];

    private readonly IReadOnlyList<Exemption> _exemptions =
    [
        .. (noProxy ?? "").Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries).Select(Exemption.Parse),
    ];

    public ICredentials? Credentials
    {
        get => system.Credentials;
        set => throw new NotSupportedException("The credentials stand in the proxy's address.");
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : system.GetProxy(destination);

    public bool IsBypassed(Uri host) =>
        IsLocal(host.IdnHost) || _exemptions.Any(exemption => exemption.Matches(host)) || system.IsBypassed(host);

    private static bool IsLocal(string host)
    {
        if (ParseAddress(host) is { } address)
            return IPAddress.IsLoopback(address)
                || IPAddress.Any.Equals(address)
                || IPAddress.IPv6Any.Equals(address)
                || Private.Any(network => network.Contains(address));
        var name = host.TrimEnd('.');
        return !name.Contains('.', StringComparison.Ordinal)
            || LocalSuffixes.Any(suffix => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
    }

    private static IPAddress? ParseAddress(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? address.IsIPv4MappedToIPv6
                ? address.MapToIPv4()
                : address
            : null;

    /// <summary>One entry of <c>NO_PROXY</c>. With neither name nor network it stands for everything.</summary>
    private sealed record Exemption(string? Name, IPNetwork? Network, int? Port)
    {
        public static Exemption Parse(string text)
        {
            if (text == "*")
                return new Exemption(null, null, null);
            if (IPNetwork.TryParse(text, out var network))
                return new Exemption(null, network, null);
            if (ParseAddress(text) is { } address)
                return new Exemption(null, Single(address), null);
            var colon = text.LastIndexOf(':');
            int? port = colon > 0 && ushort.TryParse(text[(colon + 1)..], out var number) ? number : null;
            var host = port is null ? text : text[..colon];
            return ParseAddress(host) is { } told
                ? new Exemption(null, Single(told), port)
                : new Exemption(host.TrimStart('*').Trim('.'), null, port);
        }

        public bool Matches(Uri destination)
        {
            if (Port is { } port && port != destination.Port)
                return false;
            if (Network is { } network)
                return ParseAddress(destination.IdnHost) is { } address && network.Contains(address);
            var host = destination.IdnHost.TrimEnd('.');
            return Name is null
                || host.Equals(Name, StringComparison.OrdinalIgnoreCase)
                || host.EndsWith("." + Name, StringComparison.OrdinalIgnoreCase);
        }

        private static IPNetwork Single(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
    }
}
