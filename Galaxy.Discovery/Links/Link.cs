using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Galaxy.Discovery.Links;

/// <summary>An address of this machine with the length of its network's prefix, in bits.</summary>
internal readonly record struct LinkAddress(IPAddress Address, int Prefix)
{
    /// <summary>Both addresses begin with the same bits.</summary>
    public bool Covers(IPAddress other)
    {
        if (other.AddressFamily != Address.AddressFamily)
            return false;
        var (ours, theirs) = (Address.GetAddressBytes(), other.GetAddressBytes());
        for (var bit = 0; bit < Prefix; bit += 8)
        {
            var mask = (byte)(Prefix - bit >= 8 ? 0xFF : 0xFF << (8 - (Prefix - bit)));
            if (((ours[bit / 8] ^ theirs[bit / 8]) & mask) != 0)
                return false;
        }
        return true;
    }
}

/// <summary>One address family on one network interface that is up. Equal when nothing about it has changed.</summary>
/// <param name="Index">The system's number of the interface.</param>
/// <param name="Addresses">Of this family; never empty.</param>
/// <param name="All">Of both families, as the interface's host is announced.</param>
internal sealed record Link(
    int Index,
    string Name,
    AddressFamily Family,
    IReadOnlyList<LinkAddress> Addresses,
    IReadOnlyList<IPAddress> All
)
{
    /// <summary>Unique among the links of this machine.</summary>
    public int Id => (Index * 2) + (IsIpv6 ? 1 : 0);

    public bool IsIpv6 => Family == AddressFamily.InterNetworkV6;

    public bool IsLoopback => IPAddress.IsLoopback(Addresses[0].Address);

    /// <summary>Where others of this link reach this host.</summary>
    public IPAddress Address => Addresses[0].Address;

    /// <summary>The directed broadcast addresses; none in IPv6.</summary>
    public IEnumerable<IPAddress> Broadcasts =>
        IsIpv6
            ? []
            : Addresses
                .Where(own => own.Prefix is > 0 and < 31)
                .Select(own =>
                {
                    var bytes = own.Address.GetAddressBytes();
                    for (var bit = own.Prefix; bit < 32; bit++)
                        bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
                    return new IPAddress(bytes);
                });

    /// <summary>True for an address that needs no router from here (RFC 6762, section 11).</summary>
    public bool Contains(IPAddress other) =>
        (IsIpv6 && other.IsIPv6LinkLocal) || Addresses.Any(own => own.Covers(other));

    public bool Equals(Link? other) =>
        other is not null
        && Id == other.Id
        && Name == other.Name
        && Addresses.SequenceEqual(other.Addresses)
        && All.SequenceEqual(other.All);

    public override int GetHashCode() => Id;

    /// <summary>
    /// Every link that multicast can use now. Loopback only in IPv4: other nodes of this machine are found there.
    /// </summary>
    public static IReadOnlyList<Link> Enumerate()
    {
        var links = new List<Link>();
        foreach (var adapter in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (adapter.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown))
                continue;
            try
            {
                links.AddRange(Of(adapter));
            }
            catch (Exception gone) when (gone is NetworkInformationException or InvalidOperationException)
            {
                // It went while it was read; the next look comes soon.
            }
        }
        return links;
    }

    private static IEnumerable<Link> Of(NetworkInterface adapter)
    {
        var properties = adapter.GetIPProperties();
        var loopback = adapter.NetworkInterfaceType == NetworkInterfaceType.Loopback;
        if (!loopback && !adapter.SupportsMulticast)
            yield break;
        var own = properties
            .UnicastAddresses.Select(unicast => new LinkAddress(unicast.Address, unicast.PrefixLength))
            .ToList();
        var all = own.Select(address => new IPAddress(address.Address.GetAddressBytes())).ToList();
        var ipv4 = own.Where(address => address.Address.AddressFamily == AddressFamily.InterNetwork).ToList();
        if (ipv4.Count > 0 && properties.GetIPv4Properties() is { } four)
            yield return new Link(
                four.Index,
                adapter.Name,
                AddressFamily.InterNetwork,
                ipv4,
                loopback ? [.. ipv4.Select(address => address.Address)] : all
            );
        // The link-local address first: it is what others of the link certainly reach.
        var ipv6 = own.Where(address => address.Address.AddressFamily == AddressFamily.InterNetworkV6)
            .OrderByDescending(address => address.Address.IsIPv6LinkLocal)
            .ToList();
        if (ipv6.Count > 0 && !loopback && properties.GetIPv6Properties() is { } six)
            yield return new Link(six.Index, adapter.Name, AddressFamily.InterNetworkV6, ipv6, all);
    }
}
