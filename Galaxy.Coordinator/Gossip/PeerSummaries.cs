using System.Collections.Concurrent;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Clocks;
using Galaxy.Core.Membership;

namespace Galaxy.Coordinator.Gossip;

/// <summary>What each peer last said it has seen. Thread-safe.</summary>
internal sealed class PeerSummaries(Membership membership, ReplicatedState replica, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Heard> _heard = new(StringComparer.Ordinal);

    /// <summary>A peer said what it has seen.</summary>
    public void Heard(string nodeId, string boot, string origin, VersionVector summary) =>
        _heard[nodeId] = new Heard(boot, origin, summary, time.GetUtcNow());

    /// <summary>A peer's fingerprint is this node's own: it has seen the same.</summary>
    public void Equal(string nodeId, string boot, VersionVector summary) =>
        _heard.AddOrUpdate(
            nodeId,
            _ => new Heard(boot, "", summary, time.GetUtcNow()),
            (_, last) => new Heard(boot, last.Boot == boot ? last.Origin : "", summary, time.GetUtcNow())
        );

    public Heard? Of(string nodeId) => _heard.GetValueOrDefault(nodeId);

    /// <summary>
    /// True when no process writes under this origin any more: it is an earlier origin of a member, or its node is not
    /// a member.
    /// </summary>
    public bool IsDeparted(string origin)
    {
        var nodeId = origin.Split('~')[0];
        if (nodeId == membership.Members.Self)
            return origin != replica.Origin;
        return membership.Members.Find(nodeId) is null or { State: MemberState.Left }
            || (Of(nodeId) is { Origin.Length: > 0 } heard && heard.Origin != origin);
    }

    /// <summary>
    /// What every member has seen, those that are dead but not forgotten included; null while one of them has not been
    /// heard, or while something that it has seen is still missing here: a write could be on its way that knows of
    /// nothing. Those that left said goodbye, and will be given everything when they come back.
    /// </summary>
    public VersionVector? Stable()
    {
        var here = replica.Summary;
        var stable = here;
        foreach (
            var member in membership.Members.All.Where(member =>
                member.State != MemberState.Left && member.NodeId != membership.Members.Self
            )
        )
        {
            if (Of(member.NodeId) is not { } heard || heard.Boot != member.Boot || !here.Dominates(heard.Summary))
                return null;
            stable = stable.Meet(heard.Summary);
        }
        return stable;
    }
}

/// <param name="Origin">The name that its writes carry.</param>
/// <param name="At">When it was said.</param>
internal sealed record Heard(string Boot, string Origin, VersionVector Summary, DateTimeOffset At);
