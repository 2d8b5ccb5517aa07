namespace Galaxy.Core.Election;

/// <summary>
/// The proof that the leader's process has ended, which lets the first candidate preempt the lease at once. It takes a
/// broken connection, then a new call that is refused or answered by another process, then, where there are three
/// coordinators or more, a second one that finds the same. Silence proves nothing: then the lease runs out. A proof
/// that is wrong after all costs no safety: the store raises the token, and the old leader's writes are refused.
/// </summary>
internal static class Proving
{
    public static (ElectionState, IReadOnlyList<ElectionEffect>) OnHungUp(
        ElectionState state,
        ElectionInput.HungUp hungUp
    )
    {
        if (
            state.Role == ElectionRole.Leader
            || state.Leader is not { } leader
            || leader.Boot != hungUp.Boot
            || state.Proof is not null
        )
            return (state, Election.Nothing);
        return (
            state with
            {
                Proof = new DeathProof(leader, ProofStage.Redialling),
            },
            [new ElectionEffect.Redial(leader)]
        );
    }

    public static (ElectionState, IReadOnlyList<ElectionEffect>) OnRedialled(
        ElectionState state,
        ElectionInput.Redialled redialled,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        if (state.Proof is not { Stage: ProofStage.Redialling } proof || proof.Leader.Boot != redialled.Boot)
            return (state, Election.Nothing);
        if (redialled.Outcome != RedialOutcome.Gone)
            return (state with { Proof = null }, Election.Nothing);
        // With two coordinators there is no third node to ask as a witness.
        return state.Coordinators < 3
            ? Proven(state, proof, now, settings, random)
            : (
                state with
                {
                    Proof = proof with { Stage = ProofStage.AskingWitnesses },
                },
                [new ElectionEffect.AskWitnesses(proof.Leader)]
            );
    }

    public static (ElectionState, IReadOnlyList<ElectionEffect>) OnWitnessed(
        ElectionState state,
        ElectionInput.Witnessed witnessed,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        if (state.Proof is not { Stage: ProofStage.AskingWitnesses } proof || proof.Leader.Boot != witnessed.Boot)
            return (state, Election.Nothing);
        return witnessed.Confirmed
            ? Proven(state, proof, now, settings, random)
            : (state with { Proof = null }, Election.Nothing);
    }

    private static (ElectionState, IReadOnlyList<ElectionEffect>) Proven(
        ElectionState state,
        DeathProof proof,
        TimeSpan now,
        LeaseSettings settings,
        Random random
    )
    {
        var next = state with { Proof = proof with { Stage = ProofStage.Proven } };
        var cameBack = proof.Leader.Holder == state.NodeId;
        next = next with
        {
            StandAt = next.Rank is { } rank ? now + Election.Wait(rank, cameBack, settings, random) : null,
        };
        return (next, Election.LeaderChange(state.LivingLeader, next.LivingLeader));
    }
}
