using System.Collections.Concurrent;
using System.Threading.Channels;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Gossip;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>Tells peers what is news here, as <see cref="RumorMill"/> says.</summary>
internal sealed partial class RumorSpreader(
    Membership membership,
    ReplicatedState replica,
    CoordinatorChannels channels,
    PeerStreams streams,
    PeerBreakers breakers,
    PeerTraffic traffic,
    NodeOptions node,
    TimeProvider time,
    ILogger<RumorSpreader> log
) : BackgroundService
{
    private const int MaxPushBytes = 2 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly RumorMill _mill = new(new RumorSettings(), new Random());
    private readonly Dictionary<string, Task> _pushes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<
        string,
        (string Boot, AsyncClientStreamingCall<Wire.PushRequest, Wire.PushReply> Call)
    > _streams = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(string Peer, IReadOnlyList<EntryId> Entries)> _missed = new();
    private readonly Channel<Rumors> _rumors = Channel.CreateBounded<Rumors>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
            replica.Written += entries => _rumors.Writer.TryWrite(new Rumors(entries, [], 0, []));
        return base.StartAsync(cancellationToken);
    }

    /// <summary>
    /// Takes what a peer told: entries that are news here are passed on, and peers that know an entry already are not
    /// told again. When the queue is full, the oldest item is dropped: anti-entropy brings it later.
    /// </summary>
    /// <param name="hops">How often it has been passed on.</param>
    /// <param name="knowing">The peer that told it, and the other peers that it told.</param>
    public void Heard(
        IReadOnlyList<StateEntry> news,
        IReadOnlyList<StateEntry> known,
        int hops,
        IReadOnlyList<string> knowing
    ) => _rumors.Writer.TryWrite(new Rumors(news, known, hops, knowing));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RumorOrTimeAsync(stoppingToken);
                Tell(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(failure);
            }
        }
        await Task.WhenAll(_pushes.Values);
        foreach (var (_, call) in _streams.Values)
            call.Dispose();
    }

    private void Tell(CancellationToken stopping)
    {
        while (_rumors.Reader.TryRead(out var news))
        {
            foreach (var entry in news.News)
                _mill.Tell(new EntryId(entry.Namespace, entry.Key), news.Hops, news.Knowing, membership.Now);
            foreach (var entry in news.Known)
                _mill.Knows(new EntryId(entry.Namespace, entry.Key), news.Knowing);
        }
        while (_missed.TryDequeue(out var missed))
        {
            foreach (var id in missed.Entries)
                _mill.Missed(
                    id,
                    missed.Peer,
                    membership.Members.OtherLive.Select(peer => peer.NodeId).Where(peer => peer != missed.Peer),
                    membership.Now
                );
        }
        var peers = membership.Members.OtherLive.ToDictionary(peer => peer.NodeId, StringComparer.Ordinal);
        // A peer is skipped while its last push is unfinished or its circuit breaker is open, and gets the rumors
        // later: a slow peer delays no other peer.
        var busy = peers
            .Keys.Where(peer =>
                (_pushes.TryGetValue(peer, out var push) && !push.IsCompleted) || !breakers.Allows(peer)
            )
            .ToHashSet(StringComparer.Ordinal);
        foreach (var batch in _mill.Round([.. peers.Keys], membership.Now, busy).GroupBy(batch => batch.Peer))
            _pushes[batch.Key] = PushAllAsync(peers[batch.Key], [.. batch], stopping);
    }

    private async Task RumorOrTimeAsync(CancellationToken stopping)
    {
        var wait = _mill.NextDue is { } due ? due - membership.Now : Timeout.InfiniteTimeSpan;
        if (wait != Timeout.InfiniteTimeSpan && wait <= TimeSpan.Zero)
            return;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (wait != Timeout.InfiniteTimeSpan)
            ends.CancelAfter(wait);
        await _rumors.Reader.WaitToReadAsync(ends.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private async Task PushAllAsync(Member peer, IReadOnlyList<RumorBatch> batches, CancellationToken stopping)
    {
        foreach (var batch in batches)
            await PushAsync(peer, batch, stopping);
    }

    private async Task PushAsync(Member peer, RumorBatch batch, CancellationToken stopping)
    {
        var request = new Wire.PushRequest
        {
            Cluster = node.Cluster,
            From = node.NodeId,
            Hops = (uint)batch.Hops,
        };
        request.Told.AddRange(batch.Told);
        request.Pruned.AddRange(replica.Pruned.Dots.Select(dot => dot.ToWire()));
        var size = 0;
        foreach (var entry in batch.Entries.Select(replica.Find).OfType<StateEntry>())
        {
            // The rest of a burst that does not fit into a frame comes by anti-entropy.
            if ((size += entry.ApproximateSize) > MaxPushBytes)
                break;
            request.Entries.Add(entry.ToWire());
        }
        try
        {
            await SendAsync(peer, request, stopping);
            breakers.Succeeded(peer.NodeId);
            traffic.Of(peer.NodeId).Add(request.CalculateSize(), 0);
        }
        catch (Exception failure)
            when (failure
                    is RpcException
                        or OperationCanceledException
                        or ObjectDisposedException
                        or HttpRequestException
                        or InvalidOperationException
                        or TimeoutException
            )
        {
            if (_streams.TryRemove(peer.NodeId, out var broken))
                broken.Call.Dispose();
            breakers.Failed(peer.NodeId);
            _missed.Enqueue((peer.NodeId, batch.Entries));
            _rumors.Writer.TryWrite(new Rumors([], [], 0, []));
            LogPushFailed(peer.NodeId, failure.Message);
        }
    }

    // One call for each process that is told something: a call for each message would cost many times the message.
    private async Task SendAsync(Member peer, Wire.PushRequest request, CancellationToken stopping)
    {
        if (streams.IsDeaf(peer))
        {
            await channels
                .Gossip(peer.GrpcUrl)
                .PushAsync(request, deadline: time.GetUtcNow().UtcDateTime + Patience, cancellationToken: stopping);
            return;
        }
        if (!_streams.TryGetValue(peer.NodeId, out var stream) || stream.Boot != peer.Boot)
        {
            stream.Call?.Dispose();
            _streams[peer.NodeId] = stream = (
                peer.Boot,
                channels.Conversation(peer.GrpcUrl).Rumors(cancellationToken: stopping)
            );
        }
        await stream.Call.RequestStream.WriteAsync(request, CancellationToken.None).WaitAsync(Patience, time, stopping);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A push to {Peer} failed: {Reason}")]
    private partial void LogPushFailed(string peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rumors go on after an error")]
    private partial void LogFailed(Exception failure);

    private sealed record Rumors(
        IReadOnlyList<StateEntry> News,
        IReadOnlyList<StateEntry> Known,
        int Hops,
        IReadOnlyList<string> Knowing
    );
}
