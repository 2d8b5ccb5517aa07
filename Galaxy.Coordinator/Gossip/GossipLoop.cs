using System.Net.Sockets;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Failover;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// The active side of gossip: probes peers, which also exchanges membership and pulls missing state; keeps knocking at seeds.
/// Fresh writes are <see cref="RumorSpreader"/>'s.
/// </summary>
internal sealed partial class GossipLoop(
    GossipNode gossip, CoordinatorChannels channels, Elector elector, FailoverTracker failovers, PeerTraffic traffic, NodeOptions node, Identity identity,
    IConfiguration configuration, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<GossipLoop> log) : BackgroundService
{
    private const int ProbesPerRound = 5;
    private const int NameClaimsUntilClash = 5;
    private static readonly TimeSpan EverythingPatience = TimeSpan.FromSeconds(10);

    private readonly MembershipSettings _settings = new();
    private readonly Random _random = new();
    private volatile Task _everything = Task.CompletedTask;
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when every seed has answered or been waited for once: until then this node knows too little to stand.</summary>
    public Task Joined => _joined.Task;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ProbeLoopAsync(stoppingToken), SeedLoopAsync(stoppingToken));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        gossip.UpdateMembers(table => table.Leave(gossip.Now));
        var goodbyes = gossip.Members.OtherLive.Take(ProbesPerRound).Select(peer => ExchangeAsync(peer.GrpcUrl, wait: false, CancellationToken.None));
        await Task.WhenAll(goodbyes);
    }

    private async Task ProbeLoopAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(_settings.ProbeEvery, time);
        while (await timer.WaitForNextTickAsync(stopping).AsTask().ContinueWith(t => t.IsCompletedSuccessfully && t.Result, TaskScheduler.Default))
        {
            var peers = gossip.Members.OtherLive.ToArray();
            _random.Shuffle(peers);
            await Task.WhenAll(peers.Take(ProbesPerRound).Select(peer => ProbeAsync(peer, stopping)));
            gossip.UpdateMembers(table => table.Tick(gossip.Now, _settings));
            RefuseNameClash();
        }
    }

    private async Task ProbeAsync(Member peer, CancellationToken stopping)
    {
        var failure = await ExchangeAsync(peer.GrpcUrl, wait: false, stopping);
        if (failure is null)
        {
            failovers.PeerAnswered(peer.NodeId, gossip.Members.Find(peer.NodeId)?.Boot ?? peer.Boot);
            return;
        }
        if (stopping.IsCancellationRequested)
            return;
        var silence = IsRefusal(failure is RpcException rpc ? rpc.Status.DebugException : failure) ? PeerSilence.Refused
            : await TakesConnectionsAsync(peer.GrpcUrl, stopping) ? PeerSilence.Hangs : PeerSilence.Unreachable;
        failovers.PeerFailed(peer.NodeId, silence, silence switch
        {
            PeerSilence.Refused => $"{peer.NodeId} refuses connections at {peer.GrpcUrl}",
            PeerSilence.Hangs => $"{peer.NodeId} takes connections at {peer.GrpcUrl} and does not answer",
            _ => $"{peer.NodeId} cannot be reached at {peer.GrpcUrl}",
        });
        gossip.UpdateMembers(table => table.ProbeFailed(peer.NodeId, gossip.Now));
    }

    // The peer's machine answered that nobody listens there: the process is gone. A timeout would say nothing.
    private static bool IsRefusal(Exception? failure) =>
        failure is not null && (failure is SocketException { SocketErrorCode: SocketError.ConnectionRefused } || IsRefusal(failure.InnerException));

    private async Task<bool> TakesConnectionsAsync(string grpcUrl, CancellationToken stopping)
    {
        if (!Uri.TryCreate(grpcUrl, UriKind.Absolute, out var address))
            return false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(_settings.ProbeTimeout / 2);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port, patience.Token);
            return true;
        }
        catch (Exception silent) when (silent is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task SeedLoopAsync(CancellationToken stopping)
    {
        var seeds = CoordinatorDirectory.Read(configuration, node).Where(seed => !string.Equals(seed, identity.GrpcUrl, StringComparison.OrdinalIgnoreCase)).ToList();
        var wait = TimeSpan.FromMilliseconds(100);
        while (!stopping.IsCancellationRequested)
        {
            var known = gossip.Members.OtherLive.Select(member => member.GrpcUrl).ToHashSet(StringComparer.OrdinalIgnoreCase);
            // One at a time would let a dead seed delay the others.
            await Task.WhenAll(seeds.Where(seed => !known.Contains(seed)).Select(seed => ExchangeAsync(seed, wait: true, stopping)));
            _joined.TrySetResult();
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < TimeSpan.FromSeconds(3) ? wait * 2 : TimeSpan.FromSeconds(3);
        }
    }

    /// <summary>Joins a coordinator that discovery found; null when it answered.</summary>
    public Task<Exception?> IntroduceAsync(string address, CancellationToken cancellation) => ExchangeAsync(address, wait: true, cancellation);

    /// <param name="wait">Return only when this node has caught up, even if that takes everything.</param>
    private async Task<Exception?> ExchangeAsync(string address, bool wait, CancellationToken stopping)
    {
        try
        {
            var members = gossip.Members;
            var (summary, digest) = gossip.Position;
            var request = new Wire.ExchangeRequest
            {
                Cluster = node.Cluster,
                From = members.SelfMember.ToWire(),
                Lease = elector.Leader.ToWire(),
                MaxToken = elector.MaxToken,
                Origin = gossip.Origin,
                Digest = digest,
            };
            request.Members.AddRange(members.All.Select(member => member.ToWire()));
            request.Summary.AddRange(summary.Dots.Select(dot => dot.ToWire()));
            var deadline = time.GetUtcNow().UtcDateTime + _settings.ProbeTimeout;
            var sentAt = time.GetUtcNow();
            var reply = await channels.Gossip(address).ExchangeAsync(request, deadline: deadline, cancellationToken: stopping);
            Count(request, reply, sentAt);
            elector.Post(new ElectionInput.TokenSeen(reply.MaxToken));
            gossip.UpdateMembers(table =>
            {
                var merged = table.Merge(reply.Members.Select(m => m.FromWire()).OfType<Member>(), gossip.Now);
                return reply.From.FromWire() is { } peer ? merged.Answered(peer, gossip.Now) : merged;
            });
            if (reply.Incomplete)
            {
                // One at a time, whoever asks: it is the same everything. A probe does not wait for it.
                if (_everything.IsCompleted)
                    _everything = FetchEverythingAsync(address, stopping);
                if (wait)
                    await _everything;
            }
            else
            {
                gossip.Apply(new Delta([.. reply.Delta.Select(entry => entry.FromWire()).OfType<StateEntry>()], reply.Summary.ToVector(), reply.Pruned.ToVector()));
            }
            return null;
        }
        catch (RpcException failure)
        {
            if (failure.StatusCode is StatusCode.Unauthenticated or StatusCode.FailedPrecondition)
                LogRefused(address, failure.Status.Detail);
            return failure;
        }
        catch (OperationCanceledException stopped)
        {
            return stopped;
        }
    }

    private void Count(Wire.ExchangeRequest request, Wire.ExchangeReply reply, DateTimeOffset sentAt)
    {
        if (reply.From is not { } peer)
            return;
        var cost = traffic.Of(peer.NodeId);
        cost.Add(request.CalculateSize(), reply.CalculateSize());
        cost.Answered(time.GetUtcNow() - sentAt, sentAt.ToUnixTimeMilliseconds(), reply.ClockUnixMs);
    }

    // This node is new, was away for long, or came back from an old snapshot.
    private async Task FetchEverythingAsync(string address, CancellationToken stopping)
    {
        try
        {
            var deadline = time.GetUtcNow().UtcDateTime + EverythingPatience;
            using var call = channels.Gossip(address).Everything(new Wire.EverythingRequest { Cluster = node.Cluster, From = node.NodeId }, deadline: deadline, cancellationToken: stopping);
            var entries = new List<StateEntry>();
            await foreach (var part in call.ResponseStream.ReadAllAsync(stopping))
            {
                entries.AddRange(part.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>());
                if (part.Last)
                    gossip.Replace(entries, part.Summary.ToVector(), part.Pruned.ToVector());
            }
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException or IOException or HttpRequestException)
        {
            // The next exchange asks again.
            LogNotEverything(address, failure.Message);
        }
    }

    // A restarted process meets its predecessor's rumor once or twice; a living namesake answers every refutation.
    private void RefuseNameClash()
    {
        if (gossip.Members.NameClaims < NameClaimsUntilClash)
            return;
        LogNameClash(node.NodeId);
        Environment.ExitCode = 4;
        lifetime.StopApplication();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Another live node of this cluster is also called '{NodeId}': give this one another Galaxy_NODE_ID. Stopping.")]
    private partial void LogNameClash(string nodeId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} refuses gossip: {Reason}")]
    private partial void LogRefused(string address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The whole state could not be fetched from {Address}: {Reason}")]
    private partial void LogNotEverything(string address, string reason);
}
