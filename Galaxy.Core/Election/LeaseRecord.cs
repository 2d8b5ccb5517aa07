namespace Galaxy.Core.Election;

/// <summary>The lease as the store holds it: the leader and its fencing token.</summary>
/// <param name="Holder">The leader's node id.</param>
/// <param name="Boot">The leader's process.</param>
/// <param name="Token">The fencing token: grows with every leader, never repeats.</param>
/// <param name="Url">Where the leader's API listens.</param>
/// <param name="TraceParent">W3C trace context of the failover that led to this lease; empty when there is
/// none.</param>
/// <param name="AcquiredUnixMs">Wall time of the acquisition, for people; nothing is decided by it.</param>
public sealed record LeaseRecord(
    string Holder,
    string Boot,
    long Token,
    string Url,
    string TraceParent,
    long AcquiredUnixMs
);

/// <summary>What the store or stores report of the lease.</summary>
/// <param name="Lease">Null: no node holds it.</param>
/// <param name="Release">How the last leader gave it up; null: it did not, or long ago.</param>
/// <param name="HighestToken">The highest token issued or accepted.</param>
public sealed record LeaseReading(LeaseRecord? Lease, LeaseRelease? Release, long HighestToken)
{
    /// <summary>How long the lease will last without another renewal; null: not said.</summary>
    public TimeSpan? Left { get; init; }
}

/// <summary>How a leader gave the lease up.</summary>
/// <param name="Successor">Empty: the first candidate in order.</param>
/// <param name="Reason"><c>resigned</c> or <c>manual</c>.</param>
public sealed record LeaseRelease(string Successor, string From, string Reason, string TraceParent);

/// <summary>Timings of the lease. Three presets; the reason is given at each number.</summary>
public sealed record LeaseSettings
{
    /// <summary>How long a lease lasts in the store without renewal.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The leader renews this often: two renewals may fail before the lease is lost.</summary>
    public TimeSpan RenewEvery => Ttl / 3;

    /// <summary>
    /// The holder stops believing in its lease this long before the store would drop it: 10 % for clocks that run at
    /// different rates, and never less than 100 ms.
    /// </summary>
    public TimeSpan Guard => Ttl / 10 > TimeSpan.FromMilliseconds(100) ? Ttl / 10 : TimeSpan.FromMilliseconds(100);

    /// <summary>A follower reads the lease this often (events only make it faster).</summary>
    public TimeSpan ReadEvery => Ttl / 12;

    /// <summary>An unanswered store call counts as failed after this.</summary>
    public TimeSpan StoreTimeout => Ttl / 3;

    /// <summary>
    /// The second-ranked candidate waits this long, the third twice as long: the preferred one wins unchallenged.
    /// </summary>
    public TimeSpan RankStep { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>
    /// A node whose former process held the lease waits this much longer: every other candidate has looked twice and
    /// waited out its rank by then.
    /// </summary>
    public TimeSpan ComebackWait => ReadEvery * 2 + RankStep * 10;

    /// <summary>For this long only the successor that a resigning leader named may campaign.</summary>
    public TimeSpan Reservation { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A call to a leader whose connection was lost is answered by then, or counts as silence.</summary>
    public TimeSpan RedialPatience { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>One machine: processes on loopback answer within milliseconds.</summary>
    public static LeaseSettings Local { get; } = new() { Ttl = TimeSpan.FromSeconds(1) };

    /// <summary>One house or data centre (the default).</summary>
    public static LeaseSettings Lan { get; } = new() { Ttl = TimeSpan.FromSeconds(3) };

    /// <summary>A home and a cloud with a bad line between them.</summary>
    public static LeaseSettings Wan { get; } = new() { Ttl = TimeSpan.FromSeconds(10) };

    /// <summary>The preset with that name (<c>local</c>, <c>lan</c>, <c>wan</c>), or null.</summary>
    public static LeaseSettings? Preset(string name) =>
        name switch
        {
            "local" => Local,
            "lan" => Lan,
            "wan" => Wan,
            _ => null,
        };
}
