namespace Galaxy.Core.Discovery.Mdns;

/// <summary>The times of multicast DNS, each with its section of RFC 6762.</summary>
public static class MdnsTiming
{
    /// <summary>
    /// Before the first probe, at random up to this (8.1 allows 250 ms; nodes of Galaxy start at random moments anyway,
    /// and should be found within a second).
    /// </summary>
    public static readonly TimeSpan ProbeDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>Between probes, and after the last one (8.1).</summary>
    public static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(250);

    public const int Probes = 3;

    /// <summary>A host that loses a tie waits this long before it probes again (8.2).</summary>
    public static readonly TimeSpan TieDefer = TimeSpan.FromSeconds(1);

    /// <summary>After this many conflicts within <see cref="ConflictWindow"/> … (8.1)</summary>
    public const int ManyConflicts = 15;

    public static readonly TimeSpan ConflictWindow = TimeSpan.FromSeconds(10);

    /// <summary>… the next attempts wait this long.</summary>
    public static readonly TimeSpan ConflictPause = TimeSpan.FromSeconds(5);

    /// <summary>At least two announcements, a second apart, then twice as far (8.3).</summary>
    public const int Announcements = 3;

    public static readonly TimeSpan AnnounceEvery = TimeSpan.FromSeconds(1);

    /// <summary>Answers that others may have as well wait at random between these (6).</summary>
    public static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(20);

    public static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(120);

    /// <summary>Answers to a question whose known answers are still coming (7.2).</summary>
    public static readonly TimeSpan TruncatedDelay = TimeSpan.FromMilliseconds(400);

    public static readonly TimeSpan TruncatedSpread = TimeSpan.FromMilliseconds(100);

    /// <summary>A record is multicast at most this often (6) …</summary>
    public static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(1);

    /// <summary>… except in defence against a probe.</summary>
    public static readonly TimeSpan DefendEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// A record that says goodbye, or that is no longer in its set, is believed this much longer (10.1, 10.2).
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Questions go out after 1, 2, 4 … seconds (5.2), and then this often: 30 s is the report's scan interval.
    /// </summary>
    public static readonly TimeSpan FirstBrowse = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan LastBrowse = TimeSpan.FromSeconds(30);

    /// <summary>Percent of a record's life at which it is asked for again (5.2); up to 2 more at random.</summary>
    public static readonly IReadOnlyList<int> RefreshAt = [80, 85, 90, 95];

    /// <summary>Seconds. 75 minutes for what does not name a host (10).</summary>
    public const uint SharedTtl = 4500;

    /// <summary>
    /// Seconds. The RFC recommends 120 for records that name a host; half of that makes a node that was killed lost
    /// within the 60 s that hold for every source, and its refreshing at 80 % shows the living.
    /// </summary>
    public const uint HostTtl = 60;

    /// <summary>Seconds, for askers that do not speak multicast DNS (6.7).</summary>
    public const uint LegacyTtl = 10;

    /// <summary>Bytes of a message: fits an Ethernet frame with the IPv6 and UDP headers (17).</summary>
    public const int MaxBytes = 1440;
}
