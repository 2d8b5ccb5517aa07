namespace Galaxy.Core.Failover;

/// <summary>A node that lost the lease without giving it up.</summary>
/// <param name="AliveFor">For how long it has been seen alive without a break; null: it is not.</param>
public sealed record FailedNodeView(string NodeId, TimeSpan? AliveFor);

/// <summary>What the present leader should do about nodes that failed.</summary>
public abstract record RecoveryAct(string NodeId)
{
    /// <summary>It has recovered and becomes the last secondary; its failure is forgotten.</summary>
    public sealed record Rejoin(string NodeId) : RecoveryAct(NodeId);

    /// <summary>It is the primary, has recovered, and gets leadership back by a graceful hand-over.</summary>
    public sealed record FailBack(string NodeId) : RecoveryAct(NodeId);
}

/// <summary>
/// The last two of the report's five steps: a failed node is recorded, its recovery is watched, and it comes back as
/// the last secondary or, as the primary with failback, as leader.
/// </summary>
public static class RecoveryPlan
{
    /// <summary>Acts in the order in which they are due; at most one of them is a failback.</summary>
    /// <param name="leader">The node that leads now.</param>
    /// <param name="inSteadOf">Set when a standby leads that is not configured as the primary: the coordinators, of
    /// which the first healthy one gets leadership back.</param>
    public static IReadOnlyList<RecoveryAct> Next(
        IEnumerable<FailedNodeView> failed,
        string leader,
        string? primary,
        bool autoRecovery,
        bool autoFailback,
        TimeSpan recoveryTimeout,
        IEnumerable<FailedNodeView>? inSteadOf = null
    )
    {
        if (inSteadOf?.FirstOrDefault(node => node.AliveFor >= recoveryTimeout) is { } well)
            return [new RecoveryAct.FailBack(well.NodeId)];
        var acts = new List<RecoveryAct>();
        foreach (var node in failed)
        {
            if (node.AliveFor is not { } alive || alive < recoveryTimeout || node.NodeId == leader)
                continue;
            if (autoFailback && node.NodeId == primary)
                acts.Add(new RecoveryAct.FailBack(node.NodeId));
            else if (autoRecovery)
                acts.Add(new RecoveryAct.Rejoin(node.NodeId));
        }
        return acts;
    }
}
