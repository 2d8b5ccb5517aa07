namespace Galaxy.Core.Membership;

/// <summary>
/// The order of probes: each live member once in a round, in an order that is drawn anew for each round, so that the
/// time until a failure is noticed has a bound (SWIM, section 4.3). Not thread-safe.
/// </summary>
public sealed class ProbeOrder(Random random)
{
    private readonly List<string> _round = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Null when there is no other live member.</summary>
    public string? Next(MembershipTable table)
    {
        var live = table.OtherLive.Select(member => member.NodeId).ToHashSet(StringComparer.Ordinal);
        // A new member is probed at a random place in the present round, not first and not only in the next round.
        foreach (var newcomer in live.Where(_known.Add))
            _round.Insert(random.Next(_round.Count + 1), newcomer);
        _known.IntersectWith(live);
        while (_round.Count > 0)
        {
            var next = _round[^1];
            _round.RemoveAt(_round.Count - 1);
            if (live.Contains(next))
                return next;
        }
        if (live.Count == 0)
            return null;
        var order = live.ToArray();
        random.Shuffle(order);
        _round.AddRange(order[1..]);
        return order[0];
    }
}
