using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.Discovery.Links;

/// <summary>
/// One thread that reads the sockets of all discovery sources. Waking for a packet costs far more than reading it, so
/// under load packets are collected for a moment; asynchronous reading would wake a thread for each. Thread-safe.
/// </summary>
internal sealed partial class Receiver : IDisposable
{
    /// <summary>The most packets that are collected: a socket's buffer holds about a hundred.</summary>
    private const int Together = 40;

    /// <summary>
    /// More in a second are a flood: it is read as fast as it comes, for a full buffer would lose the packets of the
    /// others.
    /// </summary>
    private const int Flood = 1500;

    /// <summary>Fewer in a second are read one by one.</summary>
    private const int Few = 20;
    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(100);
    private const double Weight = 0.3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly ILogger<Receiver> _log;
    private readonly Socket _bell = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Thread _thread;
    private ImmutableDictionary<Socket, Func<int>> _sockets = ImmutableDictionary<Socket, Func<int>>.Empty;
    private volatile bool _ends;

    public Receiver(TimeProvider time, ILogger<Receiver> log)
    {
        (_time, _log) = (time, log);
        // The receiver is woken by a datagram to itself.
        _bell.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _bell.Connect(_bell.LocalEndPoint!);
        _bell.Blocking = false;
        _thread = new Thread(Run) { IsBackground = true, Name = "discovery receiver" };
        _thread.Start();
    }

    /// <summary>Reads this socket from now on.</summary>
    /// <param name="read">Called on the receiver's thread when there is something; reads it, without waiting, and says
    /// how many packets it was.</param>
    public void Add(Socket socket, Func<int> read)
    {
        ImmutableInterlocked.TryAdd(ref _sockets, socket, read);
        Ring();
    }

    /// <summary>Stops reading this socket; one more call may be under way.</summary>
    public void Remove(Socket socket)
    {
        ImmutableInterlocked.TryRemove(ref _sockets, socket, out _);
        Ring();
    }

    private void Ring()
    {
        try
        {
            _bell.Send("!"u8);
        }
        catch (Exception full) when (full is SocketException or ObjectDisposedException)
        {
            // It has been rung more often than it was heard, or it is over.
        }
    }

    private void Run()
    {
        var (read, rate) = (_time.GetTimestamp(), 0.0);
        while (!_ends)
        {
            try
            {
                var packets = ReadOnce();
                var now = _time.GetTimestamp();
                rate += (packets / Math.Max(_time.GetElapsedTime(read, now).TotalSeconds, 0.001) - rate) * Weight;
                read = now;
                if (rate is > Few and < Flood)
                    Thread.Sleep(TimeSpan.FromSeconds(Math.Min(LongestGathering.TotalSeconds, Together / rate)));
            }
            catch (Exception failure) when (!_ends)
            {
                // Among others: a socket was closed between our look at the list and the wait.
                if (failure is not (SocketException or ObjectDisposedException))
                    LogFailed(failure);
                Thread.Sleep(failure is ObjectDisposedException ? LongestGathering : Pause);
            }
            catch (Exception) when (_ends)
            {
                return;
            }
        }
    }

    private int ReadOnce()
    {
        var sockets = _sockets;
        List<Socket> ready = [_bell, .. sockets.Keys];
        Socket.Select(ready, null, null, Timeout.InfiniteTimeSpan);
        var packets = 0;
        foreach (var socket in ready)
        {
            if (socket == _bell)
                Hush();
            else if (_sockets.TryGetValue(socket, out var read))
                packets += read();
        }
        return packets;
    }

    private void Hush()
    {
        Span<byte> rung = stackalloc byte[16];
        while (_bell.Available > 0)
            _bell.Receive(rung);
    }

    public void Dispose()
    {
        _ends = true;
        Ring();
        _thread.Join(Pause);
        _bell.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Receiving goes on after an error")]
    private partial void LogFailed(Exception failure);
}
