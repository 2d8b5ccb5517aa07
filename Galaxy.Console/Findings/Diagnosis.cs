using System.Globalization;
using Galaxy.Console.Live;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Console.Findings;

/// <summary>What is wrong with a cluster now, the worst first; nothing when it is well. Pure.</summary>
public static class Diagnosis
{
    /// <summary>Clocks further apart than this confuse people who compare logs.</summary>
    private const double ClockToleranceMs = 1000;

    /// <summary>The number of writes that a coordinator may be behind without a finding.</summary>
    private const long LagTolerance = 500;

    public static IReadOnlyList<Finding> Of(ClusterView view, Beat beat) =>
        [
            .. Leadership(view)
                .Concat(Coordinators(view, beat))
                .Concat(Data(view, beat))
                .OrderBy(finding =>
                    finding.Kind switch
                    {
                        "bad" => 0,
                        "warn" => 1,
                        _ => 2,
                    }
                ),
        ];

    private static IEnumerable<Finding> Leadership(ClusterView view)
    {
        if (view.Reachable.IsEmpty)
            yield return new(
                "bad",
                "No coordinator can be reached",
                "The console keeps trying. Look at what the coordinators say: 'galaxy resources' lists "
                    + "those of this machine."
            );
        else if (view.UsableLeader is null)
            yield return new(
                "warn",
                "There is no leader at the moment",
                "An election is under way; it takes a few seconds. Reads work, writes wait. If it stays "
                    + "so, the store (Redis) is down."
            );
    }

    private static IEnumerable<Finding> Coordinators(ClusterView view, Beat beat)
    {
        var alive = view.Nodes.Count(node => node.State == "alive");
        foreach (var node in view.Nodes.Where(node => node.State is "dead" or "suspect"))
            yield return new(
                "warn",
                "{0} does not answer",
                "Start it again, or take it out for good by stopping it with Ctrl-C next time. The others carry on.",
                "/ui/nodes",
                node.NodeId
            );
        if (alive == 1 && view.Nodes.Length > 1)
            yield return new(
                "warn",
                "Only one coordinator is left",
                "If it dies, nobody takes over. Start another one.",
                "/ui/nodes"
            );
        if (beat.Failover is not { } failover)
            yield break;
        foreach (var drained in failover.Settings.Drained)
            yield return new(
                "info",
                "{0} is drained",
                "It takes no leadership until it is let in again.",
                "/ui/nodes",
                drained
            );
        foreach (var check in failover.Checks.Where(check => !check.Healthy))
            yield return new(
                "bad",
                "The health check '{0}' fails",
                "{1}",
                "/ui/nodes",
                check.Name,
                check.LastError ?? ""
            );
        foreach (var demoted in failover.Demoted)
            yield return new(
                "info",
                "{0} stands last for a while",
                "It lost the lease again and again. Look why: its failovers name the reason.",
                "/ui/failovers",
                demoted
            );
        foreach (var behind in failover.StoresBehind)
            yield return new(
                "warn",
                "Store {0} is behind the others",
                "It is repaired by itself. If it stays so, it cannot be reached.",
                null,
                behind + 1
            );
    }

    private static IEnumerable<Finding> Data(ClusterView view, Beat beat)
    {
        if (beat.Conflicts > 0)
            yield return new(
                "warn",
                "{0} entries wait for you to decide",
                "They were written by people who did not know of each other.",
                "/ui/state?tab=conflicts",
                beat.Conflicts
            );
        if (beat.SetAside > 0)
            yield return new(
                "warn",
                "{0} stored records cannot be used",
                "They were set aside, and everything else goes on without them. See why.",
                "/ui/state?tab=aside",
                beat.SetAside
            );
        var peers = beat.Sync.Values.SelectMany(status => status.Peers).Where(peer => peer.State == "alive").ToList();
        foreach (
            var peer in peers
                .Where(peer => Math.Abs(peer.ClockOffsetMs ?? 0) > ClockToleranceMs)
                .DistinctBy(peer => peer.NodeId)
        )
            yield return new(
                "warn",
                "The clock of {0} is {1} s off",
                "Turn time synchronisation on there (NTP). Leadership does not depend on it; times in logs do.",
                "/ui/nodes",
                peer.NodeId,
                Seconds(peer.ClockOffsetMs ?? 0)
            );
        foreach (var peer in peers.Where(peer => peer.LagWrites > LagTolerance).DistinctBy(peer => peer.NodeId))
            yield return new(
                "info",
                "{0} is {1} writes behind",
                "It is catching up.",
                "/ui/nodes",
                peer.NodeId,
                peer.LagWrites!.Value
            );
        if (view.Nodes.Where(node => node.State == "alive").Select(node => node.Version).Distinct().Count() > 1)
            yield return new(
                "info",
                "Coordinators have different versions",
                "That works for one version apart. Update the older ones soon.",
                "/ui/nodes"
            );
    }

    private static string Seconds(double ms) => (ms / 1000).ToString("0.0", CultureInfo.InvariantCulture);
}
