using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests.Bugs;

/// <summary>Whoever renews has the lease.</summary>
internal sealed class RenewWithoutTokenCheck : Bug
{
    public override (LeaseRegister Next, bool Done) Renew(
        LeaseRegister store,
        LeaseRecord lease,
        TimeSpan ttl,
        int stores,
        TimeSpan now
    ) => (store with { LeaseEnds = now + ttl }, true);
}

/// <summary>Seizing takes the lease from whoever has it by then.</summary>
internal sealed class SeizeWithoutComparing : Bug
{
    public override (LeaseRegister Next, LeaseAnswer Answer) Seize(
        LeaseRegister store,
        LeaseRecord wanted,
        LeaseRecord expected,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => (store with { LeaseEnds = TimeSpan.Zero }).Acquire(wanted, ttl, minToken, stores, now);
}

/// <summary>A store that lost its data begins to count again.</summary>
internal sealed class StoreForgetsItsTokens : Bug
{
    public override (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) =>
        (store with { Born = store.Run }).Acquire(
            wanted with
            {
                Token = stores > 1 ? Math.Max(store.Issued, store.Accepted) + 1 : wanted.Token,
            },
            ttl,
            0,
            stores,
            now
        );
}

/// <summary>A restarted store goes on from what it still has, and may issue a token twice.</summary>
internal sealed class NoLeapAfterARestart : Bug
{
    public override (LeaseRegister Next, LeaseReading Reading) Read(
        LeaseRegister store,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => (store, store.Reading(now));

    public override (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => (store with { Born = store.Run }).Acquire(wanted, ttl, minToken, stores, now);
}

/// <summary>A store that was emptied issues low tokens, whatever the candidate has seen.</summary>
internal sealed class MinTokenIgnored : Bug
{
    public override (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => store.Acquire(wanted, ttl, 0, stores, now);
}

/// <summary>Writes are not compared with anything.</summary>
internal sealed class FenceRemoved : Bug
{
    public override (LeaseRegister Next, WriteAnswer Answer) Write(LeaseRegister store, long token) =>
        (store, WriteAnswer.Done);
}

/// <summary>The old leader is shut out only by the new one's first write, not by its lease.</summary>
internal sealed class FenceClosesLate : Bug
{
    public override (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    )
    {
        var (next, answer) = store.Acquire(wanted, ttl, minToken, stores, now);
        return (next with { Accepted = store.Accepted }, answer);
    }
}

/// <summary>An emptied store compares writes with nothing until it has given the lease out again.</summary>
internal sealed class EmptyStoreAcceptsWrites : Bug
{
    public override (LeaseRegister Next, WriteAnswer Answer) Write(LeaseRegister store, long token) =>
        store.Lease is null ? (store with { Born = store.Run, Accepted = 0 }).Write(token) : store.Write(token);
}

/// <summary>
/// A store that restarted without its data grants at once, though it may have promised the lease to somebody.
/// </summary>
internal sealed class StoreSpeaksAtOnce : Bug
{
    public override (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRegister store,
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => (store with { SilentUntil = TimeSpan.Zero, Born = store.Run }).Acquire(wanted, ttl, minToken, stores, now);
}
