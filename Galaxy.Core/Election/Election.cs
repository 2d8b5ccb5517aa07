namespace Galaxy.Core.Election;

/// <summary>
/// Leader election by a lease with a fencing token (Gray and Cheriton, "Leases", SOSP 1989), as a pure function. Safety
/// rests on two rules. The store hands out each token once and refuses writes under an older one. And a leader counts
/// its lease from the moment before it sent the request that the store answered, on its own monotonic clock, less a
/// guard: so it stops before the store can give the lease to another node. A leader whose process is proven to have
/// ended is replaced at once, not when its lease runs out: see <see cref="Proving"/>.
/// </summary>
public static class Election
{
    internal static readonly IReadOnlyList<ElectionEffect> Nothing = [];

    /// <summary>The next state and what to do. Does not block, throw, or read a clock.</summary>
    /// <param name="now">The node's monotonic clock.</param>
    /// <param name="random">Spreads candidates of equal rank.</param>
    public static (ElectionState State, IReadOnlyList<ElectionEffect> Effects) Step(
        ElectionState state,
        ElectionInput input,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        // Before anything else: a leader whose time is over is not a leader, whatever the input says.
        if (state.Role == ElectionRole.Leader && now >= state.LeadUntil)
        {
            var (down, stepDown) = StepDown(state, "guard", now);
            var (next, more) = Step(down, input, now, settings, random);
            return (next, [.. stepDown, .. more]);
        }
        return input switch
        {
            ElectionInput.Tick => OnTick(state, now, settings),
            ElectionInput.LeaseRead read => OnRead(state, read, now, settings, random),
            ElectionInput.Acquired acquired => OnAcquired(state, acquired, now, settings),
            ElectionInput.AcquireRefused refused => OnRefused(state, refused, now, settings, random),
            ElectionInput.Renewed renewed => OnRenewed(state, renewed, settings),
            ElectionInput.RenewRefused refused => state.Role == ElectionRole.Leader && refused.Token == state.Token
                ? StepDown(state, state.Resigning ? "resigned" : "lost", now)
                : (state with { AwaitingUntil = null }, Nothing),
            ElectionInput.StoreFailed => OnStoreFailed(state, now, settings),
            ElectionInput.WriteWasStale stale => state.Role == ElectionRole.Leader && stale.Token == state.Token
                ? StepDown(state, "stale", now)
                : (state, Nothing),
            ElectionInput.Resign resign => state.Role == ElectionRole.Leader && !state.Resigning
                ? (
                    state with
                    {
                        Resigning = true,
                        AwaitingUntil = now + settings.StoreTimeout,
                    },
                    [new ElectionEffect.Release(state.Token, resign.Successor)]
                )
                : (state, Nothing),
            ElectionInput.Released => state.Resigning ? StepDown(state, "resigned", now) : (state, Nothing),
            ElectionInput.Offered offered => OnOffered(state, offered, now, settings, random),
            ElectionInput.TokenSeen seen => (state with { MaxToken = Math.Max(state.MaxToken, seen.Token) }, Nothing),
            ElectionInput.Candidates candidates => OnCandidates(state, candidates),
            ElectionInput.LookNow => state.Role == ElectionRole.Follower && state.AwaitingUntil is null
                ? Read(state, now, settings)
                : (state with { ReadAt = now }, Nothing),
            ElectionInput.HungUp hungUp => Proving.OnHungUp(state, hungUp),
            ElectionInput.Redialled redialled => Proving.OnRedialled(state, redialled, now, settings, random),
            ElectionInput.Witnessed witnessed => Proving.OnWitnessed(state, witnessed, now, settings, random),
            _ => throw new ArgumentOutOfRangeException(nameof(input), input, "unknown input"),
        };
    }

    private static ElectionRole Fallback(ElectionState state) =>
        state.Role == ElectionRole.Candidate ? ElectionRole.Follower : state.Role;

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnTick(
        ElectionState state,
        TimeSpan now,
        LeaseSettings settings
    )
    {
        if (state.AwaitingUntil is { } deadline)
        {
            if (now < deadline)
                return (state, Nothing);
            return OnStoreFailed(state, now, settings);
        }
        if (state.Role == ElectionRole.Leader)
            return now < state.RenewAt
                ? (state, Nothing)
                : (
                    state with
                    {
                        AwaitingUntil = now + settings.StoreTimeout,
                    },
                    [new ElectionEffect.Renew(state.Leader!)]
                );
        if (state.StandAt is { } stand && now >= stand && state.Rank is not null)
            return Stand(state, now, settings);
        return now < state.ReadAt ? (state, Nothing) : Read(state, now, settings);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) Stand(
        ElectionState state,
        TimeSpan now,
        LeaseSettings settings
    )
    {
        var candidate = state with
        {
            Role = ElectionRole.Candidate,
            StandAt = null,
            AwaitingUntil = now + settings.StoreTimeout,
            AskedAbove = state.MaxToken,
        };
        return state.Proof is { Stage: ProofStage.Proven } proof && proof.Leader.Boot == state.Leader?.Boot
            ? (candidate, [new ElectionEffect.Seize(proof.Leader, state.MaxToken)])
            : (candidate, [new ElectionEffect.Acquire(state.MaxToken)]);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) Read(
        ElectionState state,
        TimeSpan now,
        LeaseSettings settings
    ) => (state with { AwaitingUntil = now + settings.StoreTimeout }, [new ElectionEffect.ReadLease()]);

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnRead(
        ElectionState state,
        ElectionInput.LeaseRead read,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        if (state.Role != ElectionRole.Follower)
            return (state, Nothing);
        var next = state with
        {
            AwaitingUntil = null,
            ReadAt = now + settings.ReadEvery,
            MaxToken = Math.Max(state.MaxToken, Math.Max(read.HighestToken, read.Lease?.Token ?? 0)),
        };
        if (read.Lease is { } lease)
        {
            var sameProof = state.Proof?.Leader.Boot == lease.Boot && state.Proof.Leader.Token == lease.Token;
            next = next with
            {
                // Our own lease, though we do not lead: we gave up on it or never heard that we got it. It must run
                // out.
                Leader = lease.Boot == state.Boot ? null : lease,
                CameBack = lease.Holder == state.NodeId && lease.Boot != state.Boot,
                Proof = sameProof ? state.Proof : null,
                StandAt =
                    sameProof && state.Proof!.Stage == ProofStage.Proven
                        ? state.StandAt ?? now + settings.ReadEvery
                        : null,
            };
        }
        else
        {
            next = next with { Leader = null, Proof = null };
            var reservedForOther = read.ReservedFor is { Length: > 0 } name && name != state.NodeId;
            if (reservedForOther)
                next = next with { StandAt = null };
            else if (next.Rank is { } rank && state.StandAt is null)
                next = next with
                {
                    StandAt =
                        now
                        + (
                            read.ReservedFor is { Length: > 0 }
                                ? TimeSpan.Zero
                                : Wait(rank, state.CameBack, settings, random)
                        ),
                };
        }
        return (next, LeaderChange(state.LivingLeader, next.LivingLeader));
    }

    internal static TimeSpan Wait(int rank, bool cameBack, LeaseSettings settings, Random random) =>
        settings.RankStep * (rank * (0.8 + 0.4 * random.NextDouble()))
        + (cameBack ? settings.ComebackWait : TimeSpan.Zero);

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnRefused(
        ElectionState state,
        ElectionInput.AcquireRefused refused,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        var (next, effects) = OnRead(
            state with
            {
                Role = Fallback(state),
                StandAt = null,
            },
            new ElectionInput.LeaseRead(refused.Current, null, refused.HighestToken),
            now,
            settings,
            random
        );
        // The lease is free, yet acquiring it failed: a store does not answer, or two candidates each got a part of
        // several stores. The random delay keeps the candidates from colliding again.
        return next.StandAt is null
            ? (next, effects)
            : (next with { StandAt = now + settings.ReadEvery * (0.5 + 0.5 * random.NextDouble()) }, effects);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnAcquired(
        ElectionState state,
        ElectionInput.Acquired acquired,
        TimeSpan now,
        LeaseSettings settings
    )
    {
        var leadUntil = acquired.SentAt + settings.Ttl - settings.Guard;
        var token = acquired.Lease.Token;
        // The token itself may have come round by gossip before this answer did; a higher one means that others went
        // on.
        if (
            state.Role != ElectionRole.Candidate
            || now >= leadUntil
            || token <= state.AskedAbove
            || token < state.MaxToken
        )
        {
            // Too late to be of use, or a token that cannot be right: let it run out.
            var stays =
                state.Role == ElectionRole.Leader
                    ? state
                    : state with
                    {
                        Role = ElectionRole.Follower,
                        AwaitingUntil = null,
                        ReadAt = now + settings.ReadEvery,
                    };
            return (stays with { MaxToken = Math.Max(state.MaxToken, token) }, Nothing);
        }
        var next = state with
        {
            Role = ElectionRole.Leader,
            Token = token,
            MaxToken = token,
            Leader = acquired.Lease,
            LeadUntil = leadUntil,
            RenewAt = acquired.SentAt + settings.RenewEvery,
            AwaitingUntil = null,
            StandAt = null,
            Resigning = false,
            CameBack = false,
            Proof = null,
        };
        return (
            next,
            [new ElectionEffect.BecameLeader(acquired.Lease), new ElectionEffect.LeaderChanged(acquired.Lease)]
        );
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnRenewed(
        ElectionState state,
        ElectionInput.Renewed renewed,
        LeaseSettings settings
    )
    {
        if (state.Role != ElectionRole.Leader || renewed.Token != state.Token || state.Resigning)
            return (state, Nothing);
        var leadUntil = renewed.SentAt + settings.Ttl - settings.Guard;
        return (
            state with
            {
                LeadUntil = leadUntil > state.LeadUntil ? leadUntil : state.LeadUntil,
                RenewAt = renewed.SentAt + settings.RenewEvery,
                AwaitingUntil = null,
            },
            Nothing
        );
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnStoreFailed(
        ElectionState state,
        TimeSpan now,
        LeaseSettings settings
    )
    {
        var soon = now + settings.ReadEvery;
        if (state.Role == ElectionRole.Leader)
        {
            // Whether a release arrived is unknown; acting on either guess is wrong, so stop leading.
            if (state.Resigning)
                return StepDown(state, "resigned", now);
            return (state with { AwaitingUntil = null, RenewAt = soon }, Nothing);
        }
        var down = state with { Role = ElectionRole.Follower, AwaitingUntil = null, ReadAt = soon, StandAt = null };
        return (down.Proof is { Stage: ProofStage.Proven } ? down with { StandAt = soon } : down, Nothing);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnOffered(
        ElectionState state,
        ElectionInput.Offered offered,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        var next = state with { MaxToken = Math.Max(state.MaxToken, offered.Token) };
        // An echo of the past, or of our own resignation.
        if (state.Role != ElectionRole.Follower || offered.Token < next.MaxToken || state.Leader?.Token > offered.Token)
            return (next, Nothing);
        // Whatever a read that is still out will say is older than this.
        return OnRead(next, new ElectionInput.LeaseRead(null, offered.Successor, offered.Token), now, settings, random);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnCandidates(
        ElectionState state,
        ElectionInput.Candidates candidates
    )
    {
        var next = state with { Order = candidates.Order, Coordinators = candidates.Coordinators };
        return (next.Rank is null ? next with { StandAt = null } : next, Nothing);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) StepDown(
        ElectionState state,
        string reason,
        TimeSpan now
    )
    {
        var next = state with
        {
            Role = ElectionRole.Follower,
            Token = 0,
            Leader = null,
            LeadUntil = TimeSpan.Zero,
            AwaitingUntil = null,
            StandAt = null,
            ReadAt = now,
            Resigning = false,
            Proof = null,
        };
        return (next, [new ElectionEffect.SteppedDown(state.Token, reason), new ElectionEffect.LeaderChanged(null)]);
    }

    internal static IReadOnlyList<ElectionEffect> LeaderChange(LeaseRecord? before, LeaseRecord? after) =>
        (before?.Holder, before?.Boot, before?.Token) == (after?.Holder, after?.Boot, after?.Token)
            ? Nothing
            : [new ElectionEffect.LeaderChanged(after)];
}
