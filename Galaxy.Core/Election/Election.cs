namespace Galaxy.Core.Election;

/// <summary>
/// Leader election by a lease with a fencing token (Gray and Cheriton, "Leases", SOSP 1989), as a pure function.
/// Safety rests on two rules. The store hands out each token once and refuses writes under an older one. And a leader
/// counts its lease from the moment before it sent the request that the store answered, on its own monotonic clock,
/// less a guard: so it stops before the store can give the lease to anybody else.
/// </summary>
public static class Election
{
    private static readonly IReadOnlyList<ElectionEffect> Nothing = [];

    /// <summary>The next state and what to do. Does not block, throw, or read a clock.</summary>
    /// <param name="now">The node's monotonic clock.</param>
    /// <param name="random">Spreads candidates of equal rank.</param>
    public static (ElectionState State, IReadOnlyList<ElectionEffect> Effects) Step(
        ElectionState state, ElectionInput input, TimeSpan now, LeaseSettings settings, Random random)
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
            ElectionInput.AcquireRefused refused => OnRead(
                state with { Role = Fallback(state), StandAt = null }, new ElectionInput.LeaseRead(refused.Current, null), now, settings, random),
            ElectionInput.Renewed renewed => OnRenewed(state, renewed, settings),
            ElectionInput.RenewRefused refused => state.Role == ElectionRole.Leader && refused.Token == state.Token
                ? StepDown(state, state.Resigning ? "resigned" : "lost", now)
                : (state with { AwaitingUntil = null }, Nothing),
            ElectionInput.StoreFailed => OnStoreFailed(state, now, settings),
            ElectionInput.WriteWasStale stale => state.Role == ElectionRole.Leader && stale.Token == state.Token
                ? StepDown(state, "stale", now)
                : (state, Nothing),
            ElectionInput.Resign resign => state.Role == ElectionRole.Leader && !state.Resigning
                ? (state with { Resigning = true, AwaitingUntil = now + settings.StoreTimeout },
                    [new ElectionEffect.Release(state.Token, resign.Successor)])
                : (state, Nothing),
            ElectionInput.Released => state.Resigning ? StepDown(state, "resigned", now) : (state, Nothing),
            ElectionInput.TokenSeen seen => (state with { MaxToken = Math.Max(state.MaxToken, seen.Token) }, Nothing),
            ElectionInput.Ranked ranked => (state with { Rank = ranked.Rank, StandAt = ranked.Rank is null ? null : state.StandAt }, Nothing),
            ElectionInput.LookNow => state.Role == ElectionRole.Follower && state.AwaitingUntil is null
                ? Read(state, now, settings)
                : (state with { ReadAt = now }, Nothing),
            _ => throw new ArgumentOutOfRangeException(nameof(input), input, "unknown input"),
        };
    }

    private static ElectionRole Fallback(ElectionState state) =>
        state.Role == ElectionRole.Candidate ? ElectionRole.Follower : state.Role;

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnTick(ElectionState state, TimeSpan now, LeaseSettings settings)
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
                : (state with { AwaitingUntil = now + settings.StoreTimeout }, [new ElectionEffect.Renew(state.Token)]);
        if (state.StandAt is { } stand && now >= stand && state.Rank is not null)
            return (state with { Role = ElectionRole.Candidate, StandAt = null, AwaitingUntil = now + settings.StoreTimeout },
                [new ElectionEffect.Acquire(state.MaxToken)]);
        return now < state.ReadAt ? (state, Nothing) : Read(state, now, settings);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) Read(ElectionState state, TimeSpan now, LeaseSettings settings) =>
        (state with { AwaitingUntil = now + settings.StoreTimeout }, [new ElectionEffect.ReadLease()]);

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnRead(
        ElectionState state, ElectionInput.LeaseRead read, TimeSpan now, LeaseSettings settings, Random random)
    {
        if (state.Role != ElectionRole.Follower)
            return (state, Nothing);
        var next = state with
        {
            AwaitingUntil = null,
            ReadAt = now + settings.ReadEvery,
            MaxToken = Math.Max(state.MaxToken, read.Lease?.Token ?? 0),
        };
        if (read.Lease is { } lease)
            // Our own lease, though we do not lead: we gave up on it or never heard that we got it. It must run out.
            next = next with
            {
                StandAt = null,
                Leader = lease.Boot == state.Boot ? null : lease,
                CameBack = lease.Holder == state.NodeId && lease.Boot != state.Boot,
            };
        else
        {
            next = next with { Leader = null };
            var reservedForOther = read.ReservedFor is { Length: > 0 } name && name != state.NodeId;
            if (reservedForOther)
                next = next with { StandAt = null };
            else if (state.Rank is { } rank && state.StandAt is null)
                next = next with { StandAt = now + (read.ReservedFor is { Length: > 0 } ? TimeSpan.Zero : Wait(rank, state.CameBack, settings, random)) };
        }
        return (next, LeaderChange(state.Leader, next.Leader));
    }

    private static TimeSpan Wait(int rank, bool cameBack, LeaseSettings settings, Random random) =>
        settings.RankStep * (rank * (0.8 + 0.4 * random.NextDouble())) + (cameBack ? settings.ComebackWait : TimeSpan.Zero);

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnAcquired(
        ElectionState state, ElectionInput.Acquired acquired, TimeSpan now, LeaseSettings settings)
    {
        var leadUntil = acquired.SentAt + settings.Ttl - settings.Guard;
        var token = acquired.Lease.Token;
        if (state.Role == ElectionRole.Leader || now >= leadUntil || token <= state.MaxToken)
        {
            // Too late to be of use, or a token that cannot be right: let it run out.
            return (state with { Role = Fallback(state), AwaitingUntil = null, ReadAt = now + settings.ReadEvery, MaxToken = Math.Max(state.MaxToken, token) }, Nothing);
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
        };
        return (next, [new ElectionEffect.BecameLeader(acquired.Lease), new ElectionEffect.LeaderChanged(acquired.Lease)]);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnRenewed(
        ElectionState state, ElectionInput.Renewed renewed, LeaseSettings settings)
    {
        if (state.Role != ElectionRole.Leader || renewed.Token != state.Token || state.Resigning)
            return (state, Nothing);
        var leadUntil = renewed.SentAt + settings.Ttl - settings.Guard;
        return (state with
        {
            LeadUntil = leadUntil > state.LeadUntil ? leadUntil : state.LeadUntil,
            RenewAt = renewed.SentAt + settings.RenewEvery,
            AwaitingUntil = null,
        }, Nothing);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) OnStoreFailed(ElectionState state, TimeSpan now, LeaseSettings settings)
    {
        var soon = now + settings.ReadEvery;
        if (state.Role == ElectionRole.Leader)
        {
            // Whether a release arrived is unknown; acting on either guess is wrong, so stop leading.
            if (state.Resigning)
                return StepDown(state, "resigned", now);
            return (state with { AwaitingUntil = null, RenewAt = soon }, Nothing);
        }
        return (state with { Role = ElectionRole.Follower, AwaitingUntil = null, ReadAt = soon, StandAt = null }, Nothing);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) StepDown(ElectionState state, string reason, TimeSpan now)
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
        };
        return (next, [new ElectionEffect.SteppedDown(state.Token, reason), new ElectionEffect.LeaderChanged(null)]);
    }

    private static IReadOnlyList<ElectionEffect> LeaderChange(LeaseRecord? before, LeaseRecord? after) =>
        (before?.Holder, before?.Boot, before?.Token) == (after?.Holder, after?.Boot, after?.Token)
            ? Nothing
            : [new ElectionEffect.LeaderChanged(after)];
}
