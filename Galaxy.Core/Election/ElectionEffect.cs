namespace Galaxy.Core.Election;

/// <summary>What an elector asks of the world.</summary>
public abstract record ElectionEffect
{
    private ElectionEffect() { }

    public sealed record ReadLease : ElectionEffect;

    /// <summary>Take the free lease under a token above <paramref name="MinToken"/>.</summary>
    public sealed record Acquire(long MinToken) : ElectionEffect;

    /// <summary>
    /// Preempt the lease of <paramref name="Expected"/>, whose process has ended, unless another node was faster.
    /// </summary>
    public sealed record Seize(LeaseRecord Expected, long MinToken) : ElectionEffect;

    public sealed record Renew(LeaseRecord Lease) : ElectionEffect;

    public sealed record Release(long Token, string? Successor) : ElectionEffect;

    public sealed record BecameLeader(LeaseRecord Lease) : ElectionEffect;

    /// <summary>
    /// This node does not lead any more; <paramref name="Reason"/> is one of <c>guard</c>, <c>lost</c>, <c>stale</c>,
    /// <c>resigned</c>.
    /// </summary>
    public sealed record SteppedDown(long Token, string Reason) : ElectionEffect;

    /// <summary>The known leader changed; null: there is none.</summary>
    public sealed record LeaderChanged(LeaseRecord? Leader) : ElectionEffect;

    /// <summary>Call the leader whose connection was lost, on a new connection.</summary>
    public sealed record Redial(LeaseRecord Leader) : ElectionEffect;

    /// <summary>Ask the other coordinators to call it too.</summary>
    public sealed record AskWitnesses(LeaseRecord Leader) : ElectionEffect;
}
