using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery;
using Galaxy.Hosts;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>A message that the witness heard.</summary>
/// <param name="At">When: a timestamp of <see cref="Stopwatch"/>.</param>
/// <param name="ToGroup">False: sent to the witness alone.</param>
internal sealed record Heard(long At, IPEndPoint From, bool ToGroup, DnsMessage Message)
{
    public bool IsIpv6 => From.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Time since a timestamp.</summary>
    public TimeSpan Since(long began) => Stopwatch.GetElapsedTime(began, At);
}

/// <summary>A host that hears everything on port 5353 and sends what it is told to, in both address families.</summary>
internal sealed class Witness : IDisposable
{
    private static readonly IPEndPoint Group = new(IPAddress.Parse("224.0.0.251"), 5353);

    private readonly Socket _ipv4;
    private readonly Socket _ipv6;
    private readonly IPEndPoint _group6;
    private readonly ConcurrentQueue<Heard> _heard = new();
    private volatile bool _ends;

    private Witness(LabHost host, int index)
    {
        _ipv4 = host.OpenUdp(5353, Group.Address);
        _ipv4.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
        _group6 = new IPEndPoint(IPAddress.Parse($"ff02::fb%{index.ToString(CultureInfo.InvariantCulture)}"), 5353);
        _ipv6 = host.Open(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        _ipv6.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, true);
        _ipv6.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));
        _ipv6.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.PacketInformation, true);
        _ipv6.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, index);
        _ipv6.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, 255);
        _ipv6.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastLoopback, false);
        _ipv6.Bind(new IPEndPoint(IPAddress.IPv6Any, 5353));
        _ipv6.SetSocketOption(
            SocketOptionLevel.IPv6,
            SocketOptionName.AddMembership,
            new IPv6MulticastOption(_group6.Address, index)
        );
        foreach (var socket in new[] { _ipv4, _ipv6 })
            new Thread(() => Read(socket)) { IsBackground = true }.Start();
    }

    /// <summary>Called on a reader's thread for each message.</summary>
    public Action<Heard>? OnHeard { get; set; }

    public static async Task<Witness> CreateAsync(LabHost host)
    {
        var index = (await HostNetwork.IpAsync(host.Name, "-o link show eth0")).Split(':')[0];
        return new Witness(host, int.Parse(index, CultureInfo.InvariantCulture));
    }

    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>What was heard since that moment, oldest first.</summary>
    public IReadOnlyList<Heard> After(long began) => [.. _heard.Where(heard => heard.At >= began)];

    /// <summary>Everything until that much time has passed.</summary>
    public async Task<IReadOnlyList<Heard>> ListenAsync(long began, double seconds)
    {
        var left = TimeSpan.FromSeconds(seconds) - Stopwatch.GetElapsedTime(began);
        if (left > TimeSpan.Zero)
            await Task.Delay(left);
        return After(began);
    }

    public void Send(DnsMessage message, bool ipv6 = false) => Send(DnsWriter.Write(message), ipv6);

    public void Send(byte[] packet, bool ipv6 = false) => (ipv6 ? _ipv6 : _ipv4).SendTo(packet, ipv6 ? _group6 : Group);

    private void Read(Socket socket)
    {
        var buffer = new byte[9000];
        while (!_ends)
        {
            try
            {
                EndPoint from = new IPEndPoint(
                    socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any,
                    0
                );
                var flags = SocketFlags.None;
                var length = socket.ReceiveMessageFrom(buffer, ref flags, ref from, out var packet);
                if (!DnsReader.TryParse(buffer.AsSpan(0, length), out var message))
                    continue;
                var isGroup = packet.Address.IsIPv6Multicast || packet.Address.Equals(Group.Address);
                var heard = new Heard(Stopwatch.GetTimestamp(), (IPEndPoint)from, isGroup, message);
                _heard.Enqueue(heard);
                OnHeard?.Invoke(heard);
            }
            catch (SocketException) when (!_ends)
            {
                // The link is down for the moment.
                Thread.Sleep(100);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _ends = true;
        _ipv4.Dispose();
        _ipv6.Dispose();
    }
}
