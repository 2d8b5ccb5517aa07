using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Joins: contacts seeds, and members that were lost, until they are known to live. At the end it says goodbye.
/// </summary>
internal sealed class GossipLoop(
    Membership membership,
    PeerExchange exchange,
    NodeOptions node,
    Identity identity,
    IConfiguration configuration,
    TimeProvider time
) : BackgroundService
{
    private const int LostPerRound = 5;
    private const int Goodbyes = 5;
    private const int NameClaimsUntilClash = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Completes when every seed has answered or been waited for once: before, this node knows too little to campaign.
    /// </summary>
    public Task Joined => _joined.Task;

    /// <summary>Joins a coordinator that discovery found; null when it answered.</summary>
    public Task<Exception?> IntroduceAsync(string address, CancellationToken cancellation) =>
        exchange.WithAsync(address, wait: true, cancellation);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        membership.Leave();
        await Task.WhenAll(
            membership
                .Members.OtherLive.Take(Goodbyes)
                .Select(peer => exchange.WithAsync(peer.GrpcUrl, wait: false, CancellationToken.None))
        );
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var seeds = CoordinatorDirectory
            .Read(configuration, node)
            .Where(seed => !string.Equals(seed, identity.GrpcUrl, StringComparison.OrdinalIgnoreCase))
            .ToList();
        var random = new Random();
        for (
            var wait = FirstPause;
            !stoppingToken.IsCancellationRequested;
            wait = wait * 2 < LongestPause ? wait * 2 : LongestPause
        )
        {
            var members = membership.Members;
            var known = members.OtherLive.Select(member => member.GrpcUrl).ToHashSet(StringComparer.OrdinalIgnoreCase);
            // The failure detector does not probe dead members: after a long partition one node has to contact them
            // first.
            var lost = members
                .All.Where(member => member.State == MemberState.Dead)
                .Select(member => member.GrpcUrl)
                .ToArray();
            random.Shuffle(lost);
            var doors = seeds
                .Concat(lost.Take(LostPerRound))
                .Where(door => !known.Contains(door))
                .Distinct(StringComparer.OrdinalIgnoreCase);
            // One at a time would let a dead seed delay the others.
            await Task.WhenAll(doors.Select(door => exchange.WithAsync(door, wait: true, stoppingToken)));
            _joined.TrySetResult();
            // A restarted process meets its predecessor's rumor once or twice; a living namesake answers every
            // refutation.
            if (membership.Members.NameClaims >= NameClaimsUntilClash)
                exchange.StopAsNamesake("An older process of this cluster has this node's name");
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
