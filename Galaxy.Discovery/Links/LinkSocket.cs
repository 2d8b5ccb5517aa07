using System.Net;
using System.Net.Sockets;

namespace Galaxy.Discovery.Links;

/// <summary>The groups and the port of a multicast discovery source.</summary>
/// <param name="Ttl">Hops that packets to the group may take; mDNS asks for 255 on everything.</param>
internal sealed record MulticastGroup(IPAddress Ipv4, IPAddress Ipv6, int Port, int Ttl)
{
    /// <summary>The address that reaches all nodes on that link.</summary>
    public IPEndPoint On(Link link) =>
        new(link.IsIpv6 ? new IPAddress(Ipv6.GetAddressBytes(), link.Index) : Ipv4, Port);
}

/// <summary>A datagram as it arrived.</summary>
/// <param name="InterfaceIndex">0 when the system did not say.</param>
/// <param name="ToGroup">Sent to all nodes: to the group or by broadcast.</param>
internal readonly record struct Datagram(int Length, IPEndPoint From, int InterfaceIndex, bool ToGroup);

/// <summary>
/// A socket of one link: either on the discovery source's port and in its group, or on a port of its own for questions.
/// </summary>
internal sealed class LinkSocket : IDisposable
{
    // Linux: deliver the groups that this socket joined, not those that any socket of the machine joined (ip(7),
    // ipv6(7)).
    private const int LevelSocket = 1;
    private const int ReuseAddress = 2;
    private const int LevelIp = 0;
    private const int MulticastAll = 49;
    private const int LevelIpv6 = 41;
    private const int Ipv6MulticastAll = 29;
    private const int Ipv6UnicastHops = 16;

    private static readonly IPEndPoint AnyIpv4 = new(IPAddress.Any, 0);
    private static readonly IPEndPoint AnyIpv6 = new(IPAddress.IPv6Any, 0);

    private readonly Socket _socket;

    /// <exception cref="SocketException">The port is held exclusively by another program, or the link went.</exception>
    public LinkSocket(Link link, MulticastGroup group, bool ownPort)
    {
        Link = link;
        IsOwnPort = ownPort;
        _socket = new Socket(link.Family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            if (link.IsIpv6)
                OpenIpv6(group, ownPort);
            else
                OpenIpv4(group, ownPort);
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    public Link Link { get; }

    /// <summary>Answers to questions arrive here, and nothing else.</summary>
    public bool IsOwnPort { get; }

    private void OpenIpv4(MulticastGroup group, bool ownPort)
    {
        if (!ownPort)
            SharePort();
        _socket.EnableBroadcast = true;
        _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
        Raw(LevelIp, MulticastAll, 0);
        _socket.Bind(new IPEndPoint(ownPort ? Link.Address : IPAddress.Any, ownPort ? 0 : group.Port));
        if (!ownPort)
            _socket.SetSocketOption(
                SocketOptionLevel.IP,
                SocketOptionName.AddMembership,
                new MulticastOption(group.Ipv4, Link.Index)
            );
        _socket.SetSocketOption(
            SocketOptionLevel.IP,
            SocketOptionName.MulticastInterface,
            IPAddress.HostToNetworkOrder(Link.Index)
        );
        _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, group.Ttl);
        if (group.Ttl == byte.MaxValue)
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.IpTimeToLive, group.Ttl);
    }

    private void OpenIpv6(MulticastGroup group, bool ownPort)
    {
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, true);
        if (!ownPort)
            SharePort();
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.PacketInformation, true);
        Raw(LevelIpv6, Ipv6MulticastAll, 0);
        _socket.Bind(new IPEndPoint(IPAddress.IPv6Any, ownPort ? 0 : group.Port));
        if (!ownPort)
            _socket.SetSocketOption(
                SocketOptionLevel.IPv6,
                SocketOptionName.AddMembership,
                new IPv6MulticastOption(group.Ipv6, Link.Index)
            );
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, Link.Index);
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, group.Ttl);
        if (group.Ttl == byte.MaxValue)
            Raw(LevelIpv6, Ipv6UnicastHops, group.Ttl);
    }

    // Others on this machine listen on the same well-known port: Avahi, a media server, another node. What .NET calls
    // ReuseAddress is SO_REUSEPORT as well; Linux (since 6.6) then hands a group's packet to one socket of that port,
    // any one, whether it has joined on the packet's link or not.
    private void SharePort()
    {
        if (OperatingSystem.IsLinux())
            _socket.SetRawSocketOption(LevelSocket, ReuseAddress, BitConverter.GetBytes(1));
        else
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
    }

    private void Raw(int level, int option, int value)
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
        }
        catch (SocketException)
        {
            // An old kernel: packets of other links arrive as well, and are sorted out by their interface; hops are
            // what the system takes.
        }
    }

    /// <exception cref="SocketException">No route, no such address yet, no room in the buffer.</exception>
    /// <exception cref="ObjectDisposedException">The link went.</exception>
    public void Send(ReadOnlySpan<byte> packet, IPEndPoint to) => _socket.SendTo(packet, to);

    /// <summary>What select waits on.</summary>
    public Socket Handle => _socket;

    /// <summary>There is another datagram already.</summary>
    /// <exception cref="ObjectDisposedException">The link went.</exception>
    public bool HasMore => _socket.Available > 0;

    /// <summary>The next datagram, without waiting.</summary>
    /// <exception cref="SocketException">There is none, or the system says something else.</exception>
    /// <exception cref="ObjectDisposedException">The link went.</exception>
    public Datagram Receive(Span<byte> buffer)
    {
        EndPoint from = Link.IsIpv6 ? AnyIpv6 : AnyIpv4;
        var flags = SocketFlags.None;
        var length = _socket.ReceiveMessageFrom(buffer, ref flags, ref from, out var packet);
        var to = packet.Address;
        var toGroup =
            to is not null
            && (
                to.IsIPv6Multicast
                || (
                    to.AddressFamily == AddressFamily.InterNetwork
                    && (
                        to.GetAddressBytes()[0] is >= 224 and < 240
                        || to.Equals(IPAddress.Broadcast)
                        || Link.Broadcasts.Contains(to)
                    )
                )
            );
        return new Datagram(length, (IPEndPoint)from, packet.Interface, toGroup);
    }

    public void Dispose() => _socket.Dispose();
}
