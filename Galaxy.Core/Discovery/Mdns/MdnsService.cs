using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// A service as it is published (RFC 6763): an instance, the host that it runs on, and what is said about it.
/// </summary>
/// <param name="Instance">The label that people see; 1 to 63 bytes of UTF-8.</param>
/// <param name="Host">The host's label, without <c>.local.</c>.</param>
public sealed record MdnsService(
    string Instance,
    string Host,
    ushort Port,
    IReadOnlyList<KeyValuePair<string, string>> Txt
)
{
    /// <summary>The question that lists all types of services on a link (RFC 6763, section 9).</summary>
    public const string Enumeration = "_services._dns-sd._udp.local.";

    private const int LongestLabel = 63;

    /// <summary>The instance's full name.</summary>
    public string FullName => $"{Escape(Instance)}.{ServiceTxt.ServiceType}";

    /// <summary>The host's full name.</summary>
    public string HostName => $"{Escape(Host)}.local.";

    /// <summary>
    /// Everything that is said of the service on a link with these addresses. Records that only one node may have carry
    /// the cache-flush bit.
    /// </summary>
    public IEnumerable<DnsRecord> Records(IEnumerable<IPAddress> addresses)
    {
        yield return new DnsRecord(Enumeration, DnsType.Ptr, MdnsTiming.SharedTtl, ServiceTxt.ServiceType);
        yield return new DnsRecord(ServiceTxt.ServiceType, DnsType.Ptr, MdnsTiming.SharedTtl, FullName);
        yield return new DnsRecord(
            FullName,
            DnsType.Srv,
            MdnsTiming.HostTtl,
            new DnsSrv(0, 0, Port, HostName),
            CacheFlush: true
        );
        yield return new DnsRecord(
            FullName,
            DnsType.Txt,
            MdnsTiming.SharedTtl,
            ServiceTxt.Write(Txt),
            CacheFlush: true
        );
        foreach (var address in addresses)
        {
            yield return new DnsRecord(
                HostName,
                address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa,
                MdnsTiming.HostTtl,
                new IPAddress(address.GetAddressBytes()),
                CacheFlush: true
            );
        }
    }

    /// <summary>
    /// The same service under its next names, because these are taken: "pc (2)" and "pc-2" (RFC 6762, section 9; RFC
    /// 6763, appendix D).
    /// </summary>
    public MdnsService Rename(int attempt) =>
        this with
        {
            Instance = Cut(Instance, $" ({attempt})"),
            Host = Cut(Host, $"-{attempt}"),
        };

    /// <summary>A label that DNS takes: at most 63 bytes, cut at a character.</summary>
    public static string Label(string text) => Cut(text, "");

    /// <summary>The first label of a name, without the escapes.</summary>
    public static string FirstLabel(string name)
    {
        var label = new System.Text.StringBuilder();
        for (var i = 0; i < name.Length && name[i] != '.'; i++)
            label.Append(name[i] == '\\' && i + 1 < name.Length ? name[++i] : name[i]);
        return label.ToString();
    }

    private static string Cut(string text, string ending)
    {
        while (
            System.Text.Encoding.UTF8.GetByteCount(text) + System.Text.Encoding.UTF8.GetByteCount(ending) > LongestLabel
        )
            text = text[..^(char.IsLowSurrogate(text[^1]) && text.Length > 1 ? 2 : 1)];
        return text + ending;
    }

    private static string Escape(string label) =>
        label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(".", "\\.", StringComparison.Ordinal);
}
