namespace Galaxy.Core.Election;

/// <summary>What happens to an elector from outside.</summary>
public abstract record ElectionInput
{
    private ElectionInput() { }

    /// <summary>Time has passed.</summary>
    public sealed record Tick : ElectionInput;

    /// <summary>The store says who leads; null: nobody. <paramref name="ReservedFor"/> is the successor that a resigning leader named.</summary>
    public sealed record LeaseRead(LeaseRecord? Lease, string? ReservedFor) : ElectionInput;

    /// <summary>The lease is ours, by a request sent at <paramref name="SentAt"/>.</summary>
    public sealed record Acquired(LeaseRecord Lease, TimeSpan SentAt) : ElectionInput;

    /// <summary>Somebody else holds the lease or has it reserved.</summary>
    public sealed record AcquireRefused(LeaseRecord? Current) : ElectionInput;

    /// <summary>The lease was extended, by a request sent at <paramref name="SentAt"/>.</summary>
    public sealed record Renewed(long Token, TimeSpan SentAt) : ElectionInput;

    /// <summary>The store does not know our lease any more.</summary>
    public sealed record RenewRefused(long Token) : ElectionInput;

    /// <summary>A store call failed or timed out: nothing is known about its effect.</summary>
    public sealed record StoreFailed : ElectionInput;

    /// <summary>The store refused a fenced write: a higher token exists.</summary>
    public sealed record WriteWasStale(long Token) : ElectionInput;

    /// <summary>Give the lease up, to <paramref name="Successor"/> when one is named.</summary>
    public sealed record Resign(string? Successor) : ElectionInput;

    /// <summary>The store took the lease back.</summary>
    public sealed record Released : ElectionInput;

    /// <summary>Gossip carried a token.</summary>
    public sealed record TokenSeen(long Token) : ElectionInput;

    /// <summary>This node's place among the candidates, 0 first; null: it may not stand.</summary>
    public sealed record Ranked(int? Rank) : ElectionInput;

    /// <summary>Something suggests that the lease changed: look now rather than at the next turn.</summary>
    public sealed record LookNow : ElectionInput;
}

/// <summary>What an elector asks of the world.</summary>
public abstract record ElectionEffect
{
    private ElectionEffect() { }

    public sealed record ReadLease : ElectionEffect;

    /// <summary>Take the lease under a token above <paramref name="MinToken"/>.</summary>
    public sealed record Acquire(long MinToken) : ElectionEffect;

    public sealed record Renew(long Token) : ElectionEffect;

    public sealed record Release(long Token, string? Successor) : ElectionEffect;

    public sealed record BecameLeader(LeaseRecord Lease) : ElectionEffect;

    /// <summary>This node does not lead any more; <paramref name="Reason"/> is one of <c>guard</c>, <c>lost</c>, <c>stale</c>, <c>resigned</c>.</summary>
    public sealed record SteppedDown(long Token, string Reason) : ElectionEffect;

    /// <summary>The known leader changed; null: there is none.</summary>
    public sealed record LeaderChanged(LeaseRecord? Leader) : ElectionEffect;
}
