namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>
/// Deliberate mistakes, each of which the simulation must find: one that finds nothing proves nothing.
/// </summary>
internal enum GossipBug
{
    None,

    /// <summary>A node whose disk lost its last writes goes on under its old name: two writes share a dot.</summary>
    DotReusedAfterRestart,

    /// <summary>Tombstones and siblings go as soon as this node has seen them, whatever others have seen.</summary>
    TombstoneDroppedEarly,

    /// <summary>A member that was not heard counts as one that has seen everything.</summary>
    SilentMemberCountsAsSeen,

    /// <summary>Rumors never grow old.</summary>
    HopLimitIgnored,

    /// <summary>A rumor vouches for everything before it.</summary>
    RumorHidesGap,

    /// <summary>Writes do not say what their writer had seen.</summary>
    ContextNotSent,

    /// <summary>Who has dropped what does not say so; and nobody compares digests, which would heal it.</summary>
    PrunedNotSent,

    /// <summary>Who comes back from an old snapshot gets a delta, not everything.</summary>
    OldSnapshotGetsDelta,

    /// <summary>Nobody looks whether nodes that have seen the same also show the same.</summary>
    DigestNotCompared,

    /// <summary>Of two entries the one with the later wall clock stays, whoever knew of whom.</summary>
    LastWriteByWallClock,
}
