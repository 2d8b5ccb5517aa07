using System.Collections.Immutable;
using Galaxy.Contracts.Cluster;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>
/// The cluster as this process sees it through its watches: an immutable snapshot.
/// </summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="Leader">The leader with the highest token that any watched coordinator names; null: there is
/// none.</param>
/// <param name="LeaderReachable">True when the watch on the leader itself is open: a leader that is named but gone is
/// not.</param>
/// <param name="Reachable">Coordinators with an open watch.</param>
public sealed record ClusterView(
    long Version,
    Leader? Leader,
    bool LeaderReachable,
    ImmutableArray<Node> Reachable,
    ImmutableArray<Node> Nodes,
    ImmutableArray<Service> Services,
    ImmutableArray<Device> Devices
)
{
    public static ClusterView Empty { get; } = new(0, null, false, [], [], [], []);

    /// <summary>The access keys that have been issued besides the cluster's own.</summary>
    public ImmutableArray<AccessKey> AccessKeys { get; init; } = [];

    /// <summary>The leader that requests may be sent to; null while there is none.</summary>
    public Leader? UsableLeader => LeaderReachable ? Leader : null;

    /// <summary>Joins the snapshots of several coordinators into one view.</summary>
    public static ClusterView Join(long version, IReadOnlyCollection<Snapshot> snapshots)
    {
        var leader = snapshots.Select(s => s.Leader).Where(l => l is { NodeId.Length: > 0 }).MaxBy(l => l.Token);
        var speaker = snapshots.FirstOrDefault(s => leader is not null && s.Boot == leader.Boot);
        // The leader's own word counts first: device sockets end there.
        var source = speaker ?? snapshots.MaxBy(s => s.Nodes.Count);
        var reachable = snapshots
            .Select(s => s.Nodes.FirstOrDefault(n => n.NodeId == s.NodeId && n.Boot == s.Boot))
            // One that is watched under two addresses is one.
            .OfType<Node>()
            .DistinctBy(n => n.Boot)
            .OrderBy(n => n.NodeId, StringComparer.Ordinal);
        return new ClusterView(
            version,
            leader,
            speaker is { Leader.NodeId.Length: > 0 },
            [.. reachable],
            [.. source?.Nodes ?? []],
            [.. source?.Services ?? []],
            [.. source?.Devices ?? []]
        )
        {
            AccessKeys = speaker is not null
                ? [.. speaker.AccessKeys]
                // Without the leader's word, a coordinator that has just started may know of less than another.
                : [.. snapshots.SelectMany(s => s.AccessKeys).DistinctBy(key => key.Id)],
        };
    }
}
