using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Galaxy.Core.Discovery.Trust;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Discovery.Roads;

/// <summary>A packet that may be looked at: its source is not flooding and it is not our own.</summary>
internal readonly record struct Packet(ReadOnlyMemory<byte> Bytes, IPEndPoint From, Link Link, bool ToGroup);

/// <summary>
/// A discovery source that uses multicast: sockets on every link, which follow the links, and one loop that alone
/// touches the protocol's state. Receivers pass packets to it through a bounded queue. What goes wrong is counted and
/// logged; the loop begins anew.
/// </summary>
internal abstract partial class MulticastRoad(
    string name,
    bool enabled,
    MulticastGroup group,
    bool asksFromOwnPort,
    Receiver receiver,
    LinkWatcher links,
    LocalNodes local,
    PeerTable peers,
    TimeProvider time,
    ILogger log
) : BackgroundService, IRoad
{
    private const int QueueLength = 1024;
    private const int LargestDatagram = 9000;
    private const int AtATime = 256;
    private const int Retries = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Channel<Packet> _packets = Channel.CreateBounded<Packet>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait }
    );
    private readonly Dictionary<int, Station> _stations = [];
    private readonly Dictionary<int, (TimeSpan At, int Left)> _retries = [];
    private readonly OwnPackets _own = new();

    // Of the receiver's thread alone.
    private readonly byte[] _buffer = new byte[LargestDatagram];
    private readonly SourceLimiter _limiter = new();
    private readonly Lock _gate = new();
    private readonly Alarm _alarm = new(time);
    private readonly long _start = time.GetTimestamp();
    private volatile bool _changed = true;
    private volatile bool _scan;
    private IReadOnlyList<Link> _links = [];

    /// <summary>The sockets of one link.</summary>
    private sealed record Station(Link Link, LinkSocket Everybody, LinkSocket? Questions)
    {
        public IEnumerable<LinkSocket> Sockets => Questions is null ? [Everybody] : [Everybody, Questions];
    }

    public RoadStatus Status { get; } = new(name, enabled);

    protected TimeSpan Now => time.GetElapsedTime(_start);

    protected TimeProvider Time => time;

    protected LocalNodes Local => local;

    protected PeerTable Peers => peers;

    protected IEnumerable<Link> OpenLinks => _stations.Values.Select(station => station.Link);

    /// <summary>When <see cref="Turn"/> is due next.</summary>
    protected abstract TimeSpan NextTurn { get; }

    /// <summary>
    /// The link has come, has come back, has other addresses, or other nodes are to be announced on it.
    /// </summary>
    protected abstract void Publish(Link link, IReadOnlyList<LocalNode> nodes, bool linkIsNew);

    /// <summary>The link is gone.</summary>
    protected abstract void Forget(Link link);

    protected abstract void Hear(Packet packet);

    /// <summary>Does what is due.</summary>
    protected abstract void Turn();

    /// <summary>Asks all nodes.</summary>
    protected abstract void Scan();

    /// <summary>Says goodbye on all links.</summary>
    protected abstract void Leave();

    public void ScanNow()
    {
        _scan = true;
        _alarm.Ring();
    }

    /// <summary>Has the loop hear a packet that came by no socket.</summary>
    protected void Enqueue(Packet packet)
    {
        _packets.Writer.TryWrite(packet);
        _alarm.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!Status.Enabled)
            return;
        links.Changed += OnChange;
        local.Changed += OnChange;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await RunAsync(stoppingToken);
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    Status.Reject("error");
                    LogFailed(failure, name);
                    await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
        finally
        {
            links.Changed -= OnChange;
            local.Changed -= OnChange;
            Guard(Leave);
            foreach (var station in _stations.Values.ToList())
                Close(station);
        }
    }

    private void OnChange()
    {
        _changed = true;
        _alarm.Ring();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            if (_changed)
            {
                _changed = false;
                Follow();
            }
            RetrySick();
            if (_scan)
            {
                _scan = false;
                Scan();
            }
            var looked = 0;
            for (; looked < AtATime && _packets.Reader.TryRead(out var packet); looked++)
                Hear(packet);
            if (NextTurn <= Now)
                Turn();
            if (looked == AtATime)
                continue;
            var wait = Earliest() - Now;
            await _alarm.WaitAsync(wait < LongestWait ? wait : LongestWait, stopping);
        }
    }

    private TimeSpan Earliest()
    {
        var next = NextTurn;
        foreach (var retry in _retries.Values)
            next = retry.At < next ? retry.At : next;
        return next;
    }

    // Opens sockets on new links, closes those of links that went, and tells what is to be announced on each.
    private void Follow()
    {
        _links = links.Current;
        foreach (
            var station in _stations
                .Values.Where(station =>
                    _links.All(link =>
                        link.Id != station.Link.Id || !link.Addresses.SequenceEqual(station.Link.Addresses)
                    )
                )
                .ToList()
        )
        {
            Close(station);
            if (_links.All(link => link.Id != station.Link.Id))
                Forget(station.Link);
        }
        foreach (var link in _links)
        {
            var isNew = !_stations.ContainsKey(link.Id);
            if (isNew && !TryOpen(link))
                continue;
            _stations[link.Id] = _stations[link.Id] with { Link = link };
            Publish(link, local.On(link), isNew);
        }
        Status.Sockets = _stations.Values.Sum(station => station.Questions is null ? 1 : 2);
        Status.Links =
        [
            .. _stations
                .Values.Select(station => $"{station.Link.Name} {(station.Link.IsIpv6 ? "IPv6" : "IPv4")}")
                .Order(StringComparer.Ordinal),
        ];
    }

    private bool TryOpen(Link link)
    {
        LinkSocket? everybody = null;
        LinkSocket? questions = null;
        try
        {
            everybody = new LinkSocket(link, group, ownPort: false);
            questions = asksFromOwnPort ? new LinkSocket(link, group, ownPort: true) : null;
        }
        catch (SocketException failure)
        {
            everybody?.Dispose();
            Problem($"cannot listen on port {group.Port} of {link.Name}: {failure.SocketErrorCode}");
            PlanRetry(link.Id);
            return false;
        }
        Status.Problem = null;
        var station = _stations[link.Id] = new Station(link, everybody, questions);
        foreach (var socket in station.Sockets)
            receiver.Add(socket.Handle, () => Read(socket));
        return true;
    }

    private void Close(Station station)
    {
        _stations.Remove(station.Link.Id);
        foreach (var socket in station.Sockets)
        {
            receiver.Remove(socket.Handle);
            socket.Dispose();
        }
    }

    // An address is not usable in its first seconds (IPv6 looks for duplicates), or the port is held for the moment.
    private void RetrySick()
    {
        foreach (var (id, retry) in _retries.Where(pair => pair.Value.At <= Now).ToList())
        {
            _retries[id] = (TimeSpan.MaxValue, retry.Left);
            if (
                _links.FirstOrDefault(link => link.Id == id) is not { } link
                || (!_stations.ContainsKey(id) && !TryOpen(link))
            )
                continue;
            Publish(link, local.On(link), linkIsNew: true);
        }
    }

    private void PlanRetry(int id)
    {
        var left = _retries.TryGetValue(id, out var planned) ? planned.Left : Retries;
        if (left > 0 && (!_retries.ContainsKey(id) || planned.At == TimeSpan.MaxValue))
            _retries[id] = (Now + Pause, left - 1);
    }

    // On the receiver's thread.
    private int Read(LinkSocket socket)
    {
        var packets = 0;
        try
        {
            do
            {
                Received(socket.Receive(_buffer), socket);
                packets++;
            } while (packets < AtATime && socket.HasMore);
        }
        catch (ObjectDisposedException)
        {
            // The link was removed a moment ago.
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.WouldBlock)
        {
            // The datagram was damaged on its way.
        }
        catch (SocketException failure)
        {
            // The port of another node was closed, or the link went down: the socket itself is still usable, or will be
            // closed soon.
            Status.Reject($"receive: {failure.SocketErrorCode}");
        }
        _alarm.Ring();
        return packets;
    }

    private void Received(Datagram datagram, LinkSocket socket)
    {
        // A datagram to all nodes reaches every socket on the port: the socket of its link takes it. A datagram to this
        // node alone reaches any one of the sockets.
        var link = socket.Link;
        if (datagram.InterfaceIndex != 0 && datagram.InterfaceIndex != link.Index)
        {
            if (datagram.ToGroup)
                return;
            // What this machine sends to an address of its own comes by loopback: it belongs to the link of that
            // address.
            var loopback = IPAddress.IsLoopback(datagram.From.Address);
            link = links.Current.FirstOrDefault(other =>
                other.Index == datagram.InterfaceIndex && other.Family == link.Family && other.IsLoopback == loopback
            )
                ?? links.Current.FirstOrDefault(other =>
                    other.Family == link.Family && other.Contains(datagram.From.Address)
                )
                ?? link;
        }
        Status.CountReceived();
        string? refused;
        lock (_gate)
        {
            // From this machine, that is: another's question may be the same to the byte.
            if (_own.Contains(_buffer.AsSpan(0, datagram.Length)) && IsOurs(datagram.From.Address))
                return;
            refused = _limiter.Refuse(datagram.From.Address, Now);
        }
        if (
            refused is null
            && !_packets.Writer.TryWrite(
                new Packet(_buffer.AsSpan(0, datagram.Length).ToArray(), datagram.From, link, datagram.ToGroup)
            )
        )
            refused = "queue full";
        if (refused is not null)
            Status.Reject(refused);
    }

    private bool IsOurs(IPAddress from) =>
        links.Current.Any(link =>
            link.Addresses.Any(own => own.Address.GetAddressBytes().AsSpan().SequenceEqual(from.GetAddressBytes()))
        );

    /// <summary>Sends from the discovery source's port, or from the port for questions.</summary>
    protected void Send(Link link, byte[] packet, IPEndPoint? to, bool question = false)
    {
        if (!_stations.TryGetValue(link.Id, out var station))
            return;
        lock (_gate)
            _own.Sent(packet);
        try
        {
            (question && station.Questions is { } own ? own : station.Everybody).Send(packet, to ?? group.On(link));
            Status.CountSent();
            _retries.Remove(link.Id);
        }
        catch (SocketException failure)
        {
            Status.Reject($"send: {failure.SocketErrorCode}");
            // An error in sending to one host may be caused by that host.
            if (to is null)
                PlanRetry(link.Id);
        }
        catch (ObjectDisposedException)
        {
            Status.Reject("send: closed");
        }
    }

    protected Link? LinkOf(int id) => _stations.TryGetValue(id, out var station) ? station.Link : null;

    private void Problem(string problem)
    {
        Status.Reject("cannot listen");
        if (Status.Problem == problem)
            return;
        Status.Problem = problem;
        LogProblem(name, problem);
        peers.Report($"{name}: {problem}");
    }

    private void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (Exception failure)
        {
            LogFailed(failure, name);
        }
    }

    public override void Dispose()
    {
        _alarm.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The road {Road} begins anew after an error")]
    private partial void LogFailed(Exception failure, string road);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Road} {Problem}")]
    private partial void LogProblem(string road, string problem);
}
