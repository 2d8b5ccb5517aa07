namespace Galaxy.Core.Election;

/// <summary>A store's answer to an attempt.</summary>
/// <param name="Granted">The lease is the caller's.</param>
/// <param name="Token">The token granted, or, when refused, the highest that the store knows.</param>
public readonly record struct LeaseAnswer(bool Granted, long Token);

/// <summary>A store's answer to a fenced write.</summary>
public enum WriteAnswer
{
    /// <summary>Every command ran.</summary>
    Done,

    /// <summary>A higher token has been accepted: nothing ran.</summary>
    Stale,

    /// <summary>The store was emptied and knows no token: nothing ran.</summary>
    Unborn,
}

/// <summary>
/// What one store keeps of the lease, and what each script does to it: the executable specification of
/// <c>LeaseScripts</c>. The simulator runs it; a test holds the scripts to it on the real stores. Immutable. Times are
/// the store's own.
/// </summary>
public sealed record LeaseRegister
{
    /// <summary>
    /// A store that restarted may have lost the last second of what it did, and with it tokens that it issued. It skips
    /// this many, so that none is issued twice.
    /// </summary>
    public const long Leap = 100;

    /// <summary>
    /// An emptied store skips more: it may also have lost what it skipped at a restart shortly before.
    /// </summary>
    public const long EmptyLeap = 1000;

    /// <summary>The process that the store is; changes when it restarts.</summary>
    public required string Run { get; init; }

    /// <summary>The process that last answered an attempt; null: the store is empty.</summary>
    public string? Born { get; init; }

    /// <summary>Until then a store that restarted grants nothing: what it promised before must have run out.</summary>
    public TimeSpan SilentUntil { get; init; }

    public LeaseRecord? Lease { get; init; }

    public TimeSpan LeaseEnds { get; init; }

    public LeaseRelease? Release { get; init; }

    public TimeSpan ReleaseEnds { get; init; }

    /// <summary>The highest token ever issued.</summary>
    public long Issued { get; init; }

    /// <summary>The highest token that a lease or a write has carried.</summary>
    public long Accepted { get; init; }

    /// <summary>The lease that has not run out.</summary>
    public LeaseRecord? LeaseAt(TimeSpan now) => now < LeaseEnds ? Lease : null;

    /// <summary>
    /// What the only store does not grant for after it restarted: the note that it restarted must be on its disk before
    /// a token depends on it.
    /// </summary>
    public static readonly TimeSpan OnDisk = TimeSpan.FromSeconds(1);

    public LeaseReading Reading(TimeSpan now) =>
        new(LeaseAt(now), now < ReleaseEnds ? Release : null, Math.Max(Issued, Accepted));

    /// <summary>
    /// Reads the present lease. Also wakes a store that restarted, so that its silence is over sooner.
    /// </summary>
    public (LeaseRegister Next, LeaseReading Reading) Read(TimeSpan ttl, long minToken, int stores, TimeSpan now)
    {
        var woken = Wake(ttl, minToken, stores, now);
        return (woken, woken.Reading(now));
    }

    /// <summary>Takes the lease if it is free, under a token above <paramref name="minToken"/>.</summary>
    /// <param name="wanted">The candidate; its token counts only when <paramref name="stores"/> is more than one: then
    /// it is exactly that one or none.</param>
    public (LeaseRegister Next, LeaseAnswer Answer) Acquire(
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => Wake(ttl, minToken, stores, now).Take(wanted, ttl, minToken, stores, now, expected: null);

    /// <summary>The same, and a lease that is still <paramref name="expected"/> is taken away.</summary>
    public (LeaseRegister Next, LeaseAnswer Answer) Seize(
        LeaseRecord wanted,
        LeaseRecord expected,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now
    ) => Wake(ttl, minToken, stores, now).Take(wanted, ttl, minToken, stores, now, expected);

    private (LeaseRegister, LeaseAnswer) Take(
        LeaseRecord wanted,
        TimeSpan ttl,
        long minToken,
        int stores,
        TimeSpan now,
        LeaseRecord? expected
    )
    {
        var highest = Math.Max(Issued, Accepted);
        var held = LeaseAt(now);
        if (held is not null && !(expected is not null && held.Boot == expected.Boot && held.Token == expected.Token))
            return (this, new LeaseAnswer(false, highest));
        if (now < SilentUntil)
            return (this, new LeaseAnswer(false, highest));
        if (
            held is null
            && now < ReleaseEnds
            && Release is { Successor.Length: > 0 } release
            && release.Successor != wanted.Holder
        )
            return (this, new LeaseAnswer(false, highest));
        if (stores > 1 && wanted.Token <= highest)
            return (this, new LeaseAnswer(false, highest));
        var token = stores > 1 ? wanted.Token : Math.Max(highest, minToken) + 1;
        var next = this with
        {
            Issued = token,
            Accepted = token,
            Lease = wanted with { Token = token },
            LeaseEnds = now + ttl,
            ReleaseEnds = TimeSpan.Zero,
        };
        return (next, new LeaseAnswer(true, token));
    }

    /// <summary>
    /// Extends the lease. One of several stores that does not have it (it was away or was emptied) takes it in, if it
    /// knows of no newer one.
    /// </summary>
    public (LeaseRegister Next, bool Done) Renew(LeaseRecord lease, TimeSpan ttl, int stores, TimeSpan now)
    {
        var woken = Wake(ttl, lease.Token, stores, now);
        var held = woken.LeaseAt(now);
        if (held is not null && held.Boot == lease.Boot && held.Token == lease.Token)
            return (woken with { LeaseEnds = now + ttl }, true);
        // A single store does not take a lease back in that it no longer has: no other store can tell what this one
        // granted before it lost its data.
        if (stores == 1 || held is not null || now < woken.ReleaseEnds || lease.Token < woken.Accepted)
            return (woken, false);
        return (
            woken with
            {
                Lease = lease,
                LeaseEnds = now + ttl,
                Issued = Math.Max(woken.Issued, lease.Token),
                Accepted = lease.Token,
            },
            true
        );
    }

    /// <summary>
    /// Gives the lease up. With <paramref name="release"/> null it is only withdrawn: an attempt that got a minority.
    /// </summary>
    public (LeaseRegister Next, bool Done) GiveUp(
        string boot,
        long token,
        LeaseRelease? release,
        TimeSpan reservation,
        TimeSpan now
    )
    {
        if (LeaseAt(now) is not { } held || held.Boot != boot || held.Token != token)
            return (this, false);
        var next = this with { LeaseEnds = TimeSpan.Zero };
        return (release is null ? next : next with { Release = release, ReleaseEnds = now + reservation }, true);
    }

    /// <summary>A write under a token. What it writes is no concern here.</summary>
    public (LeaseRegister Next, WriteAnswer Answer) Write(long token)
    {
        if (Born is null)
            return (this, WriteAnswer.Unborn);
        return token < Accepted ? (this, WriteAnswer.Stale) : (this with { Accepted = token }, WriteAnswer.Done);
    }

    private LeaseRegister Wake(TimeSpan ttl, long minToken, int stores, TimeSpan now)
    {
        if (Born == Run)
            return this;
        var highest = Math.Max(minToken, Math.Max(Issued, Accepted));
        // The very first start of all has no past to be careful of.
        var leapt = highest == 0 ? 0 : highest + (Born is null ? EmptyLeap : Leap);
        return this with
        {
            Born = Run,
            Issued = leapt,
            // An emptied store does not know which tokens it accepted. A single store therefore refuses all older
            // tokens; of several stores the others know what was accepted.
            Accepted =
                Born is not null ? Accepted
                : stores == 1 ? leapt
                : highest,
            SilentUntil =
                stores > 1 ? now + ttl
                : highest == 0 ? SilentUntil
                : now + (ttl < OnDisk ? ttl : OnDisk),
        };
    }
}
