namespace Galaxy.Core.Election;

/// <summary>The role of a node in the election.</summary>
public enum ElectionRole
{
    /// <summary>Watches the lease.</summary>
    Follower,

    /// <summary>Asked the store for the lease and waits for the answer.</summary>
    Candidate,

    /// <summary>Holds the lease, as long as <see cref="ElectionState.LeadsAt"/> says so.</summary>
    Leader,
}

/// <summary>How far the proof has come that the leader's process has ended.</summary>
public enum ProofStage
{
    Redialling,
    AskingWitnesses,
    Proven,
}

/// <summary>A leader whose connection was lost, and what is known of it.</summary>
public sealed record DeathProof(LeaseRecord Leader, ProofStage Stage);

/// <summary>
/// One node's part in the election. Immutable; times are readings of that node's own monotonic clock.
/// </summary>
public sealed record ElectionState(string NodeId, string Boot)
{
    public ElectionRole Role { get; init; }

    /// <summary>Our token while leading; 0 otherwise.</summary>
    public long Token { get; init; }

    /// <summary>Until then, and not a moment longer, this node may act as leader.</summary>
    public TimeSpan LeadUntil { get; init; }

    /// <summary>The lease of the present leader, as far as this node knows.</summary>
    public LeaseRecord? Leader { get; init; }

    /// <summary>The highest token seen from any source.</summary>
    public long MaxToken { get; init; }

    /// <summary>What the present attempt asked to be above: an answer that is not is none.</summary>
    public long AskedAbove { get; init; }

    /// <summary>The node ids of the candidates, in order.</summary>
    public IReadOnlyList<string> Order { get; init; } = [];

    /// <summary>Coordinators that exist, dead or alive, this node among them.</summary>
    public int Coordinators { get; init; }

    /// <summary>
    /// The lease in the store is that of this node's former process: it died while leading. The others go first, so
    /// that a node that dies again and again does not win again and again.
    /// </summary>
    public bool CameBack { get; init; }

    /// <summary>The connection to the leader was lost; null: it was not.</summary>
    public DeathProof? Proof { get; init; }

    /// <summary>When to ask for the lease; null: there is nothing to ask for.</summary>
    public TimeSpan? StandAt { get; init; }

    /// <summary>When to look at the lease again.</summary>
    public TimeSpan ReadAt { get; init; }

    /// <summary>When to renew.</summary>
    public TimeSpan RenewAt { get; init; }

    /// <summary>Until when an answer of the store is awaited; null: no call is out.</summary>
    public TimeSpan? AwaitingUntil { get; init; }

    /// <summary>The leader was asked to give up and has called release.</summary>
    public bool Resigning { get; init; }

    /// <summary>The one test before every exclusive act.</summary>
    public bool LeadsAt(TimeSpan now) => Role == ElectionRole.Leader && !Resigning && now < LeadUntil;

    /// <summary>The leader, unless its process is known to have ended.</summary>
    public LeaseRecord? LivingLeader => Proof is { Stage: ProofStage.Proven } ? null : Leader;

    /// <summary>
    /// This node's place among the candidates, 0 first; null: it is no candidate. A leader whose end is proven has no
    /// place; its successor is the first.
    /// </summary>
    public int? Rank
    {
        get
        {
            var place = 0;
            foreach (var node in Order)
            {
                if (node == NodeId)
                    return place;
                if (Proof is not { Stage: ProofStage.Proven } proof || proof.Leader.Holder != node)
                    place++;
            }
            return null;
        }
    }

    /// <summary>When <see cref="Election.Step"/> next wants a <see cref="ElectionInput.Tick"/>.</summary>
    public TimeSpan NextTick
    {
        get
        {
            var next = AwaitingUntil ?? (Role == ElectionRole.Leader ? RenewAt : ReadAt);
            if (Role == ElectionRole.Leader && LeadUntil < next)
                next = LeadUntil;
            if (StandAt is { } stand && AwaitingUntil is null && stand < next)
                next = stand;
            return next;
        }
    }
}
