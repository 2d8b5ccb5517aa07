using System.Collections.Concurrent;
using System.Threading.Channels;
using Galaxy.Coordinator.Node;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// One stream of small messages for each pair of nodes, opened by the node that sends first. A message that cannot be
/// delivered is lost, as on any network. Thread-safe.
/// </summary>
internal sealed partial class PeerStreams(
    CoordinatorChannels channels,
    NodeOptions node,
    Identity identity,
    ILogger<PeerStreams> log
) : IDisposable
{
    private readonly ConcurrentDictionary<string, PeerStream> _opened = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PeerStream> _accepted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _deaf = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ends = new();

    /// <summary>A message arrived.</summary>
    public event Action<PeerStream, Wire.Frame>? Heard;

    private Wire.Hello Hello =>
        new()
        {
            Cluster = node.Cluster,
            NodeId = node.NodeId,
            Boot = identity.Boot,
        };

    /// <summary>True for a process of an earlier version, which knows no conversations.</summary>
    public bool IsDeaf(Member peer) => _deaf.TryGetValue(peer.NodeId, out var boot) && boot == peer.Boot;

    /// <summary>Sends when there is a stream, or when one can be opened.</summary>
    /// <param name="peer">Null: only the name is known, of one that spoke first.</param>
    public void Send(string to, Member? peer, Wire.Frame frame)
    {
        if (_accepted.TryGetValue(to, out var stream) || _opened.TryGetValue(to, out stream))
            stream.Send(frame);
        else if (peer is not null)
            Open(peer).Send(frame);
    }

    /// <summary>Ends what there is with a peer: the next message goes over a new connection.</summary>
    public void Drop(Member peer)
    {
        if (_accepted.TryRemove(peer.NodeId, out var accepted))
            accepted.End();
        if (_opened.TryRemove(peer.NodeId, out var opened))
            opened.End();
        channels.HangUp(peer.GrpcUrl);
    }

    private PeerStream Open(Member peer)
    {
        var stream = new PeerStream(peer.NodeId, Hello, _ends.Token);
        if (!_opened.TryAdd(peer.NodeId, stream))
        {
            // Another thread opened one in the same moment.
            stream.End();
            return _opened.GetValueOrDefault(peer.NodeId, stream);
        }
        _ = ConverseAsync(peer, stream);
        return stream;
    }

    private async Task ConverseAsync(Member peer, PeerStream stream)
    {
        try
        {
            using var call = channels.Conversation(peer.GrpcUrl).Converse(cancellationToken: stream.Ended);
            await stream.RunAsync(call.ResponseStream, call.RequestStream, Deliver);
        }
        catch (Exception failure)
            when (failure
                    is RpcException
                        or OperationCanceledException
                        or IOException
                        or InvalidOperationException
                        or ObjectDisposedException
            )
        {
            if (failure is RpcException { StatusCode: StatusCode.Unimplemented })
                _deaf[peer.NodeId] = peer.Boot;
            LogEnded(peer.NodeId, failure.Message);
        }
        finally
        {
            _opened.TryRemove(new KeyValuePair<string, PeerStream>(peer.NodeId, stream));
            stream.End();
        }
    }

    /// <summary>The other end of <see cref="Open"/>; returns when the stream has ended.</summary>
    /// <exception cref="RpcException">The first message was no hello of this cluster.</exception>
    public async Task AcceptAsync(
        IAsyncStreamReader<Wire.Frame> requests,
        IServerStreamWriter<Wire.Frame> responses,
        CancellationToken ends
    )
    {
        if (
            !await requests.MoveNext(ends)
            || requests.Current.Hello is not { NodeId.Length: > 0 and <= 63, Boot.Length: > 0 and <= 64 } hello
        )
            throw new RpcException(
                new Status(
                    StatusCode.InvalidArgument,
                    "the first message of a conversation says hello: node_id and boot"
                )
            );
        if (hello.Cluster != node.Cluster)
            throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"this node belongs to cluster '{node.Cluster}', not '{hello.Cluster}'"
                )
            );
        var stream = new PeerStream(hello.NodeId, Hello, ends) { Boot = hello.Boot };
        if (_accepted.TryGetValue(hello.NodeId, out var before))
            before.End();
        _accepted[hello.NodeId] = stream;
        try
        {
            Deliver(stream, requests.Current);
            await stream.RunAsync(requests, responses, Deliver);
        }
        catch (Exception failure)
            when (failure is OperationCanceledException or IOException or InvalidOperationException)
        {
            LogEnded(hello.NodeId, failure.Message);
        }
        finally
        {
            _accepted.TryRemove(new KeyValuePair<string, PeerStream>(hello.NodeId, stream));
            stream.End();
        }
    }

    private void Deliver(PeerStream from, Wire.Frame frame) => Heard?.Invoke(from, frame);

    public void Dispose()
    {
        _ends.Cancel();
        _ends.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The conversation with {Peer} ended: {Reason}")]
    private partial void LogEnded(string peer, string reason);
}

/// <summary>
/// A stream with one peer: what is to be sent waits in a short queue, of which the oldest is dropped when it does not
/// move.
/// </summary>
internal sealed class PeerStream
{
    private const int Queue = 64;

    private readonly Channel<Wire.Frame> _outgoing = Channel.CreateBounded<Wire.Frame>(
        new BoundedChannelOptions(Queue) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    private readonly CancellationTokenSource _ends;
    private Wire.Hello? _hello;
    private int _over;

    public PeerStream(string peer, Wire.Hello hello, CancellationToken ends)
    {
        (Peer, _hello) = (peer, hello);
        _ends = CancellationTokenSource.CreateLinkedTokenSource(ends);
        Ended = _ends.Token;
    }

    public string Peer { get; }

    /// <summary>The process at the other end; null until it has said hello.</summary>
    public string? Boot { get; set; }

    /// <summary>True until the first message has been taken in.</summary>
    public bool IsNew { get; set; } = true;

    public CancellationToken Ended { get; }

    public void Send(Wire.Frame frame)
    {
        frame.Hello = Interlocked.Exchange(ref _hello, null);
        _outgoing.Writer.TryWrite(frame);
    }

    public void End()
    {
        if (Interlocked.Exchange(ref _over, 1) == 1)
            return;
        _outgoing.Writer.TryComplete();
        _ends.Cancel();
        // Or the process's own token would remember every stream that ever was.
        _ends.Dispose();
    }

    /// <summary>Sends and receives until one of both ends.</summary>
    public async Task RunAsync(
        IAsyncStreamReader<Wire.Frame> incoming,
        IAsyncStreamWriter<Wire.Frame> outgoing,
        Action<PeerStream, Wire.Frame> deliver
    )
    {
        var sending = SendAllAsync(outgoing);
        try
        {
            while (await incoming.MoveNext(Ended))
            {
                if (incoming.Current.Hello is { Boot.Length: > 0 and <= 64 } hello)
                    Boot = hello.Boot;
                deliver(this, incoming.Current);
            }
        }
        finally
        {
            End();
            await sending;
        }
    }

    private async Task SendAllAsync(IAsyncStreamWriter<Wire.Frame> outgoing)
    {
        try
        {
            await foreach (var frame in _outgoing.Reader.ReadAllAsync(Ended))
                await outgoing.WriteAsync(frame, Ended);
        }
        catch (Exception over)
            when (over is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // The reading side knows, and says why; it ends now if it did not.
            End();
        }
    }
}
