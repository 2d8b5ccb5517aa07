using System.Threading.Channels;
using Galaxy.Coordinator.Failover;
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
    GossipNode gossip, CoordinatorChannels channels, PeerBreakers breakers, PeerTraffic traffic, NodeOptions node, TimeProvider time, ILogger<RumorSpreader> log) : BackgroundService
{
    private const int MaxPushBytes = 2 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly RumorMill _mill = new(new RumorSettings(), new Random());
    private readonly Dictionary<string, Task> _pushes = new(StringComparer.Ordinal);
    private readonly Channel<(IReadOnlyList<StateEntry> Entries, int Hops, string? From)> _rumors =
        Channel.CreateBounded<(IReadOnlyList<StateEntry>, int, string?)>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        gossip.Written += entries => Spread(entries, 0, null);
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Queues entries for the next peers. When the queue is full the oldest rumor is dropped: anti-entropy brings it later.</summary>
    /// <param name="hops">0: written here. Otherwise how often it has been passed on.</param>
    /// <param name="from">Who told it; null: written here.</param>
    public void Spread(IReadOnlyList<StateEntry> entries, int hops, string? from) => _rumors.Writer.TryWrite((entries, hops, from));

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
    }

    private void Tell(CancellationToken stopping)
    {
        while (_rumors.Reader.TryRead(out var news))
        {
            foreach (var entry in news.Entries)
                _mill.Tell(new EntryId(entry.Namespace, entry.Key), news.Hops, news.From, gossip.Now);
        }
        var peers = gossip.Members.OtherLive.ToDictionary(peer => peer.NodeId, StringComparer.Ordinal);
        // A peer that has not taken the last message yet gets the next one later: a slow one holds up nobody.
        var busy = peers.Keys.Where(peer => (_pushes.TryGetValue(peer, out var push) && !push.IsCompleted) || !breakers.Allows(peer)).ToHashSet(StringComparer.Ordinal);
        foreach (var batch in _mill.Round([.. peers.Keys], gossip.Now, busy).GroupBy(batch => batch.Peer))
            _pushes[batch.Key] = PushAllAsync(peers[batch.Key], [.. batch], stopping);
    }

    private async Task RumorOrTimeAsync(CancellationToken stopping)
    {
        var wait = _mill.NextDue is { } due ? due - gossip.Now : Timeout.InfiniteTimeSpan;
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
        var request = new Wire.PushRequest { Cluster = node.Cluster, From = node.NodeId, Hops = (uint)batch.Hops };
        request.Pruned.AddRange(gossip.Pruned.Dots.Select(dot => dot.ToWire()));
        var size = 0;
        foreach (var entry in batch.Entries.Select(gossip.Find).OfType<StateEntry>())
        {
            // The rest of a burst that does not fit into a frame comes by anti-entropy.
            if ((size += entry.ApproximateSize) > MaxPushBytes)
                break;
            request.Entries.Add(entry.ToWire());
        }
        try
        {
            await channels.Gossip(peer.GrpcUrl).PushAsync(request, deadline: time.GetUtcNow().UtcDateTime + Patience, cancellationToken: stopping);
            breakers.Succeeded(peer.NodeId);
            traffic.Of(peer.NodeId).Add(request.CalculateSize(), 0);
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException or ObjectDisposedException or HttpRequestException)
        {
            breakers.Failed(peer.NodeId);
            LogPushFailed(peer.NodeId, failure.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A push to {Peer} failed: {Reason}")]
    private partial void LogPushFailed(string peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rumors go on after an error")]
    private partial void LogFailed(Exception failure);
}
