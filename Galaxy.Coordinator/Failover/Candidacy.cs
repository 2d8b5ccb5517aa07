using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Failover;

/// <summary>Keeps the election informed of the candidates and their order.</summary>
internal sealed class Candidacy(
    Membership membership,
    ReplicatedState replica,
    GossipLoop loop,
    FailoverStore store,
    HealthChecks checks,
    Elector elector,
    NodeOptions node,
    TimeProvider time,
    ILogger<Candidacy> log
) : PeriodicService(Every, time, log)
{
    /// <summary>
    /// The nodes of a cluster do not start at the same moment: until a first leader was elected, the other nodes leave
    /// the primary this long to start.
    /// </summary>
    private static readonly TimeSpan StartGrace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>Set when this process is stopping: the node no longer campaigns.</summary>
    public bool Withdrawn
    {
        get;
        set
        {
            field = value;
            Tell();
        }
    }

    /// <summary>Nodes that rank last because they keep losing the lease.</summary>
    public IReadOnlyList<string> Demoted =>
        [.. membership.Members.All.Select(member => member.NodeId).Where(IsDemoted)];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
        {
            membership.Changed += Tell;
            replica.Changed += Tell;
            checks.Changed += Tell;
        }
        Tell();
        return base.StartAsync(cancellationToken);
    }

    protected override Task ReadyAsync(CancellationToken stopping) => loop.Joined.WaitAsync(stopping);

    // Graces and demotions end by time alone.
    protected override Task TurnAsync(CancellationToken stopping)
    {
        Tell();
        return Task.CompletedTask;
    }

    /// <summary>The candidates, in order, without what only this node knows of itself.</summary>
    public IReadOnlyList<string> Order()
    {
        var settings = store.Settings;
        var alive = membership.Members.All.Where(member => member.State == MemberState.Alive).ToList();
        // Better one that was to rest than none at all.
        var awake = alive.Where(member => !settings.Drained.Contains(member.NodeId)).ToList();
        var candidates = (awake.Count > 0 ? awake : alive).Select(member => new Candidate(
            member.NodeId,
            member.Role == "standby",
            IsDemoted(member.NodeId)
        ));
        return CandidateOrder.Of(candidates, settings.Primary, settings.Secondaries);
    }

    private bool IsDemoted(string nodeId) =>
        FlapDamping.DemotedUntil(
            store.LossesOf(nodeId),
            TimeSpan.FromMilliseconds(Time.GetUtcNow().ToUnixTimeMilliseconds())
        )
            is not null;

    private void Tell()
    {
        var stands = loop.Joined.IsCompleted && checks.Healthy && !Withdrawn && !LeavesTheStartToThePrimary;
        IReadOnlyList<string> order = stands ? Order() : [.. Order().Where(id => id != node.NodeId)];
        elector.Post(
            new ElectionInput.Candidates(
                order,
                membership.Members.All.Count(member => member.State != MemberState.Left)
            )
        );
    }

    private bool LeavesTheStartToThePrimary =>
        store.Settings.Primary is { } primary
        && primary != node.NodeId
        && elector.MaxToken == 0
        && membership.Now < StartGrace;
}
