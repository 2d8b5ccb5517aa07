using Galaxy.Coordinator.Replica;
using Galaxy.Core.Gossip;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Finds differences between this node and its peers that no rumor will mend, and mends them: when a peer's fingerprint
/// differs twice in the same way, at the first word of a conversation, and every 5 s with a random peer that may
/// differ.
/// </summary>
internal sealed class AntiEntropy(
    Membership membership,
    ReplicatedState replica,
    PeerExchange exchange,
    PeerSummaries summaries,
    TimeProvider time,
    ILogger<AntiEntropy> log
) : PeriodicService(Every, time, log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Random _random = new();
    private readonly StandingDifference _difference = new();
    private readonly Dictionary<string, TimeSpan> _exchanged = new(StringComparer.Ordinal);

    /// <summary>A peer said what it holds.</summary>
    public void Observe(PeerStream stream, ulong theirs)
    {
        if (theirs == 0)
            return;
        var (mine, summary) = (replica.FingerprintWith(membership.Members), replica.Summary);
        if (mine == theirs && stream.Boot is { } boot)
            summaries.Equal(stream.Peer, boot, summary);
        bool differs;
        lock (_gate)
            differs = _difference.Observe(stream.Peer, mine, theirs, stream.IsNew);
        stream.IsNew = false;
        if (differs && membership.Members.Find(stream.Peer) is { } peer)
            _ = ExchangeAsync(peer, Ended);
    }

    private CancellationToken Ended { get; set; }

    protected override Task ReadyAsync(CancellationToken stopping)
    {
        Ended = stopping;
        return Task.CompletedTask;
    }

    protected override Task TurnAsync(CancellationToken stopping)
    {
        Member[] candidates;
        lock (_gate)
            candidates = [.. membership.Members.OtherLive.Where(peer => _difference.MayDiffer(peer.NodeId))];
        return candidates.Length == 0
            ? Task.CompletedTask
            : ExchangeAsync(candidates[_random.Next(candidates.Length)], stopping);
    }

    private async Task ExchangeAsync(Member peer, CancellationToken stopping)
    {
        lock (_gate)
        {
            if (_exchanged.TryGetValue(peer.NodeId, out var last) && membership.Now - last < Pause)
                return;
            _exchanged[peer.NodeId] = membership.Now;
        }
        await exchange.WithAsync(peer.GrpcUrl, wait: false, stopping);
    }
}
