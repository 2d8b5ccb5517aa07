using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Galaxy.Discovery.Peers;

/// <summary>A network interface that multicast can use.</summary>
internal sealed record Link(int Index, string Name, IPAddress Address, IPAddress Mask)
{
    public IPAddress Broadcast => new([.. Address.GetAddressBytes().Zip(Mask.GetAddressBytes(), (a, m) => (byte)(a | ~m))]);

    public bool Contains(IPAddress other) => other.AddressFamily == AddressFamily.InterNetwork
        && Address.GetAddressBytes().Zip(Mask.GetAddressBytes(), (a, m) => a & m).SequenceEqual(other.GetAddressBytes().Zip(Mask.GetAddressBytes(), (a, m) => a & m));

    /// <summary>Every interface that is up and has an IPv4 address, loopback included: other nodes may run on this machine.</summary>
    public static IReadOnlyList<Link> All => [.. NetworkInterface.GetAllNetworkInterfaces()
        .Where(adapter => adapter.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
        .SelectMany(adapter => adapter.GetIPProperties().UnicastAddresses
            .Where(unicast => unicast.Address.AddressFamily == AddressFamily.InterNetwork)
            .Take(1)
            .Select(unicast => new Link(adapter.GetIPProperties().GetIPv4Properties().Index, adapter.Name, unicast.Address, unicast.IPv4Mask)))];
}

/// <summary>Counters of a road, by name.</summary>
internal sealed class RoadStatus(string name)
{
    private readonly ConcurrentDictionary<string, long> _rejected = new(StringComparer.Ordinal);
    private long _sent;
    private long _received;

    public string Road { get; } = name;
    public bool Enabled { get; set; }
    public int Sockets { get; set; }
    public long Sent => Interlocked.Read(ref _sent);
    public long Received => Interlocked.Read(ref _received);
    public IReadOnlyDictionary<string, long> Rejected => _rejected;

    public void CountSent() => Interlocked.Increment(ref _sent);

    public void CountReceived() => Interlocked.Increment(ref _received);

    public void Reject(string reason) => _rejected.AddOrUpdate(reason, 1, (_, count) => count + 1);
}

/// <summary>
/// A multicast road: one socket per interface, which follows interfaces as they come and go; a loop that speaks and a loop
/// per socket that listens. What a packet does to the loop that read it is counted, never fatal.
/// </summary>
internal abstract class Road(string name, bool enabled, int port, IPAddress group, TimeProvider time, ILogger log) : BackgroundService
{
    private static readonly TimeSpan LinkCheck = TimeSpan.FromSeconds(3);
    private static readonly Action<ILogger, string, string, Exception?> LogSocket =
        LoggerMessage.Define<string, string>(LogLevel.Warning, new EventId(1, "socket"), "{Road}: {Problem}");

    private readonly ConcurrentDictionary<Link, Socket> _sockets = new();
    private readonly SemaphoreSlim _speakNow = new(0, 1);

    public RoadStatus Status { get; } = new(name) { Enabled = enabled };

    protected TimeProvider Time => time;

    protected int Port => port;

    protected IPAddress Group => group;

    protected IEnumerable<Link> Links => _sockets.Keys;

    /// <summary>The next time to speak of one's own accord.</summary>
    protected abstract TimeSpan Every { get; }

    /// <summary>Asks and announces on one interface.</summary>
    protected abstract Task SpeakAsync(Link link, CancellationToken cancellation);

    protected abstract Task HearAsync(ReadOnlyMemory<byte> packet, IPEndPoint from, Link link, CancellationToken cancellation);

    /// <summary>Says goodbye on one interface.</summary>
    protected virtual Task LeaveAsync(Link link) => Task.CompletedTask;

    /// <summary>Asks on all interfaces now.</summary>
    public void ScanNow()
    {
        if (_speakNow.CurrentCount == 0)
            _speakNow.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!Status.Enabled)
            return;
        var listening = new List<Task>();
        var spoke = time.GetTimestamp();
        var quick = 3;
        while (!stoppingToken.IsCancellationRequested)
        {
            var fresh = FollowLinks();
            listening.AddRange(fresh.Select(link => Task.Run(() => ListenAsync(link, _sockets[link], stoppingToken), CancellationToken.None)));
            listening.RemoveAll(task => task.IsCompleted);
            var due = quick > 0 || fresh.Count > 0 || time.GetElapsedTime(spoke) >= Every;
            if (await _speakNow.WaitAsync(0, stoppingToken).ConfigureAwait(false) || due)
            {
                foreach (var link in Links)
                    await GuardAsync(() => SpeakAsync(link, stoppingToken));
                spoke = time.GetTimestamp();
                quick--;
            }
            // The first three rounds follow each other closely: a packet may be lost, and the coordinators may not be known yet.
            var wait = quick > 0 ? TimeSpan.FromSeconds(1) : LinkCheck < Every ? LinkCheck : Every;
            if (await _speakNow.WaitAsync(wait, stoppingToken).ContinueWith(task => task.IsCompletedSuccessfully && task.Result, TaskScheduler.Default))
                _speakNow.Release();
        }
        foreach (var link in Links)
            await GuardAsync(() => LeaveAsync(link));
        foreach (var socket in _sockets.Values)
            socket.Dispose();
        await Task.WhenAll(listening);
    }

    /// <summary>Opens sockets on new interfaces, closes those of interfaces that went; returns the new ones.</summary>
    private List<Link> FollowLinks()
    {
        var links = Link.All;
        foreach (var gone in Links.Except(links).ToList())
        {
            if (_sockets.TryRemove(gone, out var socket))
                socket.Dispose();
        }
        var fresh = links.Except(Links).Where(TryOpen).ToList();
        Status.Sockets = _sockets.Count;
        return fresh;
    }

    private bool TryOpen(Link link)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Others on this machine listen on the same well-known port: Avahi, a media server, a second node.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.EnableBroadcast = true;
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group, link.Index));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(link.Index));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, group.Equals(Mdns.MdnsRoad.GroupAddress) ? 255 : 4);
            return _sockets.TryAdd(link, socket);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            Status.Reject($"cannot listen on {link.Name}: {failure.SocketErrorCode}");
            return false;
        }
    }

    private async Task ListenAsync(Link link, Socket socket, CancellationToken stopping)
    {
        var buffer = new byte[9000];
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var packet = await socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stopping);
                // Every socket of the port hears every group: only the interface's own one answers.
                if (packet.PacketInformation.Interface != link.Index && packet.PacketInformation.Interface != 0)
                    continue;
                Status.CountReceived();
                await HearAsync(buffer.AsMemory(0, packet.ReceivedBytes), (IPEndPoint)packet.RemoteEndPoint, link, stopping);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure)
            {
                Status.Reject($"receive: {failure.SocketErrorCode}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception failure)
            {
                Status.Reject("error");
                LogSocket(log, Status.Road, failure.Message, failure);
            }
        }
    }

    protected async Task SendAsync(Link link, byte[] packet, IPEndPoint to)
    {
        if (!_sockets.TryGetValue(link, out var socket))
            return;
        try
        {
            await socket.SendToAsync(packet, to);
            Status.CountSent();
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Status.Reject($"send on {link.Name}: {(failure as SocketException)?.SocketErrorCode.ToString() ?? "closed"}");
        }
    }

    private async Task GuardAsync(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogSocket(log, Status.Road, failure.Message, failure);
        }
    }

    public override void Dispose()
    {
        _speakNow.Dispose();
        base.Dispose();
    }
}
