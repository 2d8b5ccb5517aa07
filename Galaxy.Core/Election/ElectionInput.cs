namespace Galaxy.Core.Election;

/// <summary>The result of calling a leader whose connection was lost.</summary>
public enum RedialOutcome
{
    /// <summary>The very process that leads answered.</summary>
    Alive,

    /// <summary>No answer in time. A hang, a pause and a cut cable look alike, so it proves nothing.</summary>
    Silent,

    /// <summary>
    /// The machine answered that no process listens there, or another process answered: the leader's process has ended.
    /// </summary>
    Gone,
}

/// <summary>What happens to an elector from outside.</summary>
public abstract record ElectionInput
{
    private ElectionInput() { }

    /// <summary>Time has passed.</summary>
    public sealed record Tick : ElectionInput;

    /// <summary>
    /// The store reports the present lease; null: no node leads. <paramref name="ReservedFor"/> is the successor that a
    /// resigning leader named.
    /// </summary>
    /// <param name="HighestToken">The highest token that the store has ever issued or accepted.</param>
    public sealed record LeaseRead(LeaseRecord? Lease, string? ReservedFor, long HighestToken = 0) : ElectionInput;

    /// <summary>The lease is ours, by a request sent at <paramref name="SentAt"/>.</summary>
    public sealed record Acquired(LeaseRecord Lease, TimeSpan SentAt) : ElectionInput;

    /// <summary>
    /// Another node holds the lease or has it reserved, or the store does not vouch for anything yet.
    /// </summary>
    public sealed record AcquireRefused(LeaseRecord? Current, long HighestToken = 0) : ElectionInput;

    /// <summary>The lease was extended, by a request sent at <paramref name="SentAt"/>.</summary>
    public sealed record Renewed(long Token, TimeSpan SentAt) : ElectionInput;

    /// <summary>The store knows of a newer lease than ours.</summary>
    public sealed record RenewRefused(long Token) : ElectionInput;

    /// <summary>A store call failed or timed out: nothing is known about its effect.</summary>
    public sealed record StoreFailed : ElectionInput;

    /// <summary>The store refused a fenced write: a higher token exists.</summary>
    public sealed record WriteWasStale(long Token) : ElectionInput;

    /// <summary>Give the lease up, to <paramref name="Successor"/> when one is named.</summary>
    public sealed record Resign(string? Successor) : ElectionInput;

    /// <summary>The store took the lease back.</summary>
    public sealed record Released : ElectionInput;

    /// <summary>
    /// The store announced that lease <paramref name="Token"/> was given up; the successor need not read first.
    /// </summary>
    public sealed record Offered(long Token, string Successor) : ElectionInput;

    /// <summary>Gossip carried a token.</summary>
    public sealed record TokenSeen(long Token) : ElectionInput;

    /// <summary>
    /// The candidates, in order, and how many coordinators there are besides those that left on purpose. A node that is
    /// not in <paramref name="Order"/> does not campaign.
    /// </summary>
    public sealed record Candidates(IReadOnlyList<string> Order, int Coordinators) : ElectionInput;

    /// <summary>Something suggests that the lease changed: look now rather than at the next turn.</summary>
    public sealed record LookNow : ElectionInput;

    /// <summary>The connection to the process <paramref name="Boot"/> broke.</summary>
    public sealed record HungUp(string Boot) : ElectionInput;

    /// <summary>What came of <see cref="ElectionEffect.Redial"/>.</summary>
    public sealed record Redialled(string Boot, RedialOutcome Outcome) : ElectionInput;

    /// <summary>
    /// What came of <see cref="ElectionEffect.AskWitnesses"/>: did another coordinator find the same?
    /// </summary>
    public sealed record Witnessed(string Boot, bool Confirmed) : ElectionInput;
}
