using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>The addresses of this machine as they are now, looked up at most once a second. Thread-safe.</summary>
public sealed class OwnAddresses(TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private IReadOnlyList<IPAddress> _addresses = [];
    private long? _lookedAt;

    /// <summary>Every address of every interface that is up, loopback included.</summary>
    public IReadOnlyList<IPAddress> Current
    {
        get
        {
            lock (_gate)
            {
                if (_lookedAt is not { } at || time.GetElapsedTime(at) > Fresh)
                    (_addresses, _lookedAt) = (Read(), time.GetTimestamp());
                return _addresses;
            }
        }
    }

    /// <summary>True for an address or a name of this machine.</summary>
    /// <param name="host">An IP address, in brackets or not, or a host name.</param>
    public bool IsOwn(string host)
    {
        if (IsLoopback(host))
            return true;
        if (IPAddress.TryParse(host.Trim('[', ']'), out var address))
            return Current.Any(own => own.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes()));
        return string.Equals(host, Dns.GetHostName(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>True for an address or name that leads nowhere but to the machine that uses it.</summary>
    public static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>
    /// The address under which others most likely reach this machine: of an interface with a way out, IPv4 first, never
    /// a link-local one; loopback when there is no other.
    /// </summary>
    public static IPAddress Choose()
    {
        var best = NetworkInterface
            .GetAllNetworkInterfaces()
            .Where(adapter =>
                adapter.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
                && adapter.NetworkInterfaceType != NetworkInterfaceType.Loopback
            )
            .SelectMany(adapter =>
                adapter.GetIPProperties() is var properties
                    ? properties.UnicastAddresses.Select(unicast =>
                        (unicast.Address, WayOut: properties.GatewayAddresses.Count > 0)
                    )
                    : []
            )
            .Where(candidate =>
                !candidate.Address.IsIPv6LinkLocal
                && !IPAddress.IsLoopback(candidate.Address)
                && candidate.Address.GetAddressBytes() is not [169, 254, ..]
            )
            .OrderByDescending(candidate => candidate.WayOut)
            .ThenByDescending(candidate => candidate.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(candidate => candidate.Address);
        return best.FirstOrDefault() ?? IPAddress.Loopback;
    }

    private static IReadOnlyList<IPAddress> Read()
    {
        try
        {
            return
            [
                .. NetworkInterface
                    .GetAllNetworkInterfaces()
                    .Where(adapter => adapter.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                    .SelectMany(adapter =>
                        adapter.GetIPProperties().UnicastAddresses.Select(unicast => unicast.Address)
                    ),
            ];
        }
        catch (NetworkInformationException)
        {
            // An interface went while it was read.
            return [];
        }
    }
}
