namespace Galaxy.Core.Membership;

/// <summary>
/// Timings of the failure detector. For clusters of up to a few hundred coordinators; they adapt to size and health.
/// </summary>
public sealed record MembershipSettings
{
    /// <summary>One probe of one peer this often.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Without an answer by then, others are asked to try.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>So many others are asked.</summary>
    public int IndirectProbes { get; init; } = 3;

    /// <summary>
    /// A suspect that enough members accuse, and that does not refute within this time, is dead: three probe periods,
    /// as a long pause is not a death. Grows with the logarithm of the cluster's size, as membership updates take
    /// longer to spread.
    /// </summary>
    public TimeSpan SuspectAtLeast { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A suspect with a single accuser has this many times as long (Lifeguard's beta).</summary>
    public double LonelySuspicionFactor { get; init; } = 6;

    /// <summary>With so many members that agree, the time is the shortest (Lifeguard's K).</summary>
    public int EnoughAccusers { get; init; } = 3;

    /// <summary>
    /// The local health multiplier does not grow above this: the slowest probing is once in nine periods.
    /// </summary>
    public int WorstHealth { get; init; } = 8;

    /// <summary>News of a member is told this many times the logarithm of the cluster's size (SWIM's lambda).</summary>
    public double TellFactor { get; init; } = 4;

    /// <summary>While there is news, this many random members are told every <see cref="TellEvery"/>.</summary>
    public int TellFanout { get; init; } = 3;

    public TimeSpan TellEvery { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>News in one message; more waits for the next.</summary>
    public int ClaimsPerMessage { get; init; } = 8;

    /// <summary>Dead and departed members are forgotten after this.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a suspect may take to refute.</summary>
    /// <param name="members">How many there are.</param>
    /// <param name="others">How many could confirm the suspicion besides the first accuser.</param>
    /// <param name="confirmations">How many of them do.</param>
    /// <remarks>Dadgar, Phillips, Currey: "Lifeguard", DSN-W 2018, section IV-B.</remarks>
    public TimeSpan SuspectFor(int members, int others, int confirmations)
    {
        var least = SuspectAtLeast * Math.Max(1, Math.Log10(Math.Max(1, members)));
        var enough = Math.Min(EnoughAccusers, others);
        if (confirmations >= enough)
            return least;
        var most = least * LonelySuspicionFactor;
        return most - ((most - least) * (Math.Log(confirmations + 1) / Math.Log(enough + 1)));
    }
}
