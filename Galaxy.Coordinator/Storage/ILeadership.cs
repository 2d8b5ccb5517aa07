namespace Galaxy.Coordinator.Storage;

/// <summary>What the store's writer must know of the election, which lies above it.</summary>
internal interface ILeadership
{
    /// <summary>The fencing token under which this node leads now; null: it does not lead.</summary>
    long? CurrentToken { get; }

    /// <summary>
    /// Reports that a store has accepted a higher token than this one: a node that holds this token no longer leads.
    /// </summary>
    void ReportStaleToken(long token);
}
