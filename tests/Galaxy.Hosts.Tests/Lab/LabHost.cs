using System.Net;
using System.Net.Sockets;

namespace Galaxy.Hosts;

/// <summary>One host of a <see cref="HostNetwork"/>: runs programs, opens sockets, pulls its cable.</summary>
internal sealed class LabHost(string name, int index, IPAddress? address = null) : IAsyncDisposable
{
    private readonly List<LabProcess> _processes = [];
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("galaxy-host-");

    /// <summary>Of its namespace.</summary>
    public string Name => name;

    /// <summary>The host's number, from 0.</summary>
    public int Index => index;

    public IPAddress Address { get; private set; } = address ?? new([10, 88, 0, (byte)(index + 1)]);

    /// <summary>A folder for what programs here keep.</summary>
    public string Data => _data.FullName;

    /// <summary>Starts a program here.</summary>
    public LabProcess Start(
        string program,
        IReadOnlyDictionary<string, string>? environment = null,
        params IEnumerable<string> arguments
    ) => StartIn(Data, program, environment, arguments);

    /// <summary>Starts a program here, in a folder.</summary>
    public LabProcess StartIn(
        string folder,
        string program,
        IReadOnlyDictionary<string, string>? environment,
        params IEnumerable<string> arguments
    )
    {
        var process = new LabProcess(name, program, arguments, environment ?? new Dictionary<string, string>(), folder);
        _processes.Add(process);
        return process;
    }

    /// <summary>Runs a program here to its end; what it wrote.</summary>
    public Task<string> RunAsync(string program, params IEnumerable<string> arguments) =>
        Command.RunAsync("ip", ["netns", "exec", name, program, .. arguments]);

    /// <summary>A socket of this host.</summary>
    public Socket Open(AddressFamily family, SocketType type, ProtocolType protocol) =>
        NetworkNamespace.Inside(name, () => new Socket(family, type, protocol));

    /// <summary>A UDP socket of this host that sends to groups by its only cable.</summary>
    /// <param name="port">0: any. Others may listen on it as well.</param>
    /// <param name="join">A group to listen to.</param>
    public Socket OpenUdp(int port = 0, IPAddress? join = null, IPAddress? from = null)
    {
        var socket = Open(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        // SO_REUSEADDR alone; see LinkSocket.
        socket.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));
        socket.EnableBroadcast = true;
        socket.SetSocketOption(
            SocketOptionLevel.IP,
            SocketOptionName.MulticastInterface,
            (from ?? Address).GetAddressBytes()
        );
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 255);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, false);
        socket.Bind(new IPEndPoint(join is null ? from ?? Address : IPAddress.Any, port));
        if (join is not null)
            socket.SetSocketOption(
                SocketOptionLevel.IP,
                SocketOptionName.AddMembership,
                new MulticastOption(join, from ?? Address)
            );
        return socket;
    }

    /// <summary>A client that connects from this host.</summary>
    public HttpClient Http(string baseAddress, string? key = null)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            // A connection to a program that was killed meanwhile is not tried again.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1),
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    // What a test learns from one host's answer is an address.
                    await socket.ConnectAsync(
                        IPAddress.Parse(context.DnsEndPoint.Host),
                        context.DnsEndPoint.Port,
                        cancellation
                    );
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        var http = new HttpClient(handler) { BaseAddress = new Uri(baseAddress), Timeout = TimeSpan.FromSeconds(30) };
        if (key is not null)
            http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return http;
    }

    /// <summary>Gives the host a second address that is not of the segment; removed when disposed.</summary>
    public async Task<IAsyncDisposable> AliasAsync(IPAddress address)
    {
        await HostNetwork.IpAsync(name, $"addr add {address}/32 dev eth0");
        return new Alias(name, address);
    }

    private sealed class Alias(string name, IPAddress address) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await HostNetwork.IpAsync(name, $"addr del {address}/32 dev eth0");
    }

    /// <summary>Pulls the cable.</summary>
    public Task UnplugAsync() => HostNetwork.IpAsync(name, "link set eth0 down");

    /// <summary>Plugs it in again, where another address is given out.</summary>
    public async Task PlugAsync(IPAddress address)
    {
        await HostNetwork.IpAsync(name, "addr flush dev eth0 scope global");
        await HostNetwork.IpAsync(name, $"addr add {address}/16 dev eth0");
        await HostNetwork.IpAsync(name, "link set eth0 up");
        await HostNetwork.IpAsync(name, "route replace default dev eth0");
        Address = address;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
