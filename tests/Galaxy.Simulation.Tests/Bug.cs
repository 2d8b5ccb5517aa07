using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>
/// The places where the simulated world meets the election. As it is, it changes nothing; what is in <c>Bugs/</c> puts
/// one deliberate mistake in one of these places, to show that the simulator would find it.
/// </summary>
internal class Bug
{
    public static Bug None { get; } = new();

    public string Name => GetType().Name;

    /// <summary>The clock that a node's election reads.</summary>
    public virtual TimeSpan Clock(TimeSpan monotonic, TimeSpan wall) => monotonic;

    /// <summary>The moment from which a lease is counted.</summary>
    public virtual TimeSpan CountedFrom(TimeSpan sentAt, TimeSpan answeredAt, LeaseSettings settings) => sentAt;

    public virtual bool Leads(ElectionState state, TimeSpan now) => state.LeadsAt(now);

    public virtual RedialOutcome Judge(RedialOutcome outcome) => outcome;

    /// <summary>A node that starts again knows the highest token that it has seen.</summary>
    public virtual bool RemembersTokens => true;

    public virtual bool AsksWitnesses => true;

    public virtual Verdict Count(IEnumerable<bool?> answers, int stores) => LeaseQuorum.Count(answers, stores);

    public virtual (LeaseRegister Next, LeaseReading Reading) Read(
        LeaseRegister store,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => store.Read(ttl, minToken, stores, now);

    public virtual (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => store.Acquire(wanted, ttl, minToken, stores, now);

    public virtual (LeaseRegister Next, LeaseAnswer Answer) Seize(
        LeaseRegister store,
        LeaseRecord wanted,
        LeaseRecord expected,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => store.Seize(wanted, expected, ttl, minToken, stores, now);

    public virtual (LeaseRegister Next, bool Done) Renew(
        LeaseRegister store,
        LeaseRecord lease,
        TimeSpan ttl,
        int stores,
        TimeSpan now
    ) => store.Renew(lease, ttl, stores, now);

    public virtual (LeaseRegister Next, WriteAnswer Answer) Write(LeaseRegister store, long token) =>
        store.Write(token);
}
