using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests.Bugs;

/// <summary>No answer in time is taken for proof.</summary>
internal sealed class SilenceIsProof : Bug
{
    public override RedialOutcome Judge(RedialOutcome outcome) =>
        outcome == RedialOutcome.Silent ? RedialOutcome.Gone : outcome;
}

/// <summary>One coordinator's word is enough, though it may be its own firewall that refuses.</summary>
internal sealed class NoWitness : Bug
{
    public override bool AsksWitnesses => false;
}

/// <summary>Half of the stores count as a majority.</summary>
internal sealed class HalfIsAMajority : Bug
{
    public override Verdict Count(IEnumerable<bool?> answers, int stores)
    {
        var all = answers.ToList();
        return all.Count(answer => answer == true) >= Math.Max(1, stores / 2)
            ? Verdict.Yes
            : LeaseQuorum.Count(all, stores);
    }
}

/// <summary>A coordinator that starts again knows of no token.</summary>
internal sealed class ForgetsTokensOnRestart : Bug
{
    public override bool RemembersTokens => false;
}
