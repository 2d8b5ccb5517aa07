namespace Galaxy.Core.Election;

/// <summary>Where a node stands.</summary>
public enum ElectionRole
{
    /// <summary>Watches the lease.</summary>
    Follower,

    /// <summary>Asked the store for the lease and waits for the answer.</summary>
    Candidate,

    /// <summary>Holds the lease, as long as <see cref="ElectionState.LeadsAt"/> says so.</summary>
    Leader,
}

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

    /// <summary>Who leads, as far as is known here.</summary>
    public LeaseRecord? Leader { get; init; }

    /// <summary>The highest token seen by any road.</summary>
    public long MaxToken { get; init; }

    /// <summary>Place among the candidates, 0 first; null: may not stand.</summary>
    public int? Rank { get; init; }

    /// <summary>
    /// The lease in the store is that of this node's former process: it died while leading. The others go first, so that a
    /// node that dies again and again does not win again and again.
    /// </summary>
    public bool CameBack { get; init; }

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
