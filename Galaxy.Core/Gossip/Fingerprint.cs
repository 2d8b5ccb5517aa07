using Galaxy.Core.Clocks;
using Galaxy.Core.Hashing;
using Galaxy.Core.Membership;

namespace Galaxy.Core.Gossip;

/// <summary>
/// A number that says with near certainty whether two nodes hold the same: which members live, what has been seen, what
/// readers are shown. The dead and the departed do not count: nodes forget them at different times.
/// </summary>
public static class Fingerprint
{
    /// <param name="summary">What the node has seen.</param>
    /// <param name="digest">The digest of what it shows.</param>
    public static ulong Of(MembershipTable members, VersionVector summary, ulong digest)
    {
        var hash = StableHash.Start.Add(digest);
        foreach (var dot in summary.Dots)
            hash = hash.Add(dot.Origin).Add(dot.Counter);
        foreach (var member in members.All.Where(member => member.State == MemberState.Alive))
            hash = hash.Add(member.NodeId).Add(member.Boot).Add(member.Incarnation);
        return hash.Finish();
    }
}

/// <summary>
/// Tells a difference that stands from one that is only on its way: two nodes that differed in the same way before have
/// nothing under way that would heal it. Not thread-safe.
/// </summary>
public sealed class StandingDifference
{
    private readonly Dictionary<string, (ulong Mine, ulong Theirs)> _last = new(StringComparer.Ordinal);

    /// <summary>True when the two should exchange now.</summary>
    /// <param name="first">They have not exchanged before, or not for long: do not wait.</param>
    public bool Observe(string peer, ulong mine, ulong theirs, bool first)
    {
        var stands = first || (_last.TryGetValue(peer, out var last) && last == (mine, theirs));
        _last[peer] = (mine, theirs);
        return stands && mine != theirs;
    }

    /// <summary>True when the last that was heard of the peer differed, or nothing was.</summary>
    public bool MayDiffer(string peer) => !_last.TryGetValue(peer, out var last) || last.Mine != last.Theirs;

    public void Forget(string peer) => _last.Remove(peer);
}
