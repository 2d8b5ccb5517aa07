using System.Collections.Immutable;

namespace Galaxy.Core.Membership;

/// <summary>Timings of the failure detector.</summary>
public sealed record MembershipSettings
{
    /// <summary>One probe of one peer this often.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A probe without an answer by then has failed.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A suspect that does not refute by then is dead. Three probe periods: a long pause is not a death.</summary>
    public TimeSpan SuspectFor { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Dead and departed members are forgotten after this.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>A member with the monotonic time at which its present state began here.</summary>
public sealed record TrackedMember(Member Member, TimeSpan Since);

/// <summary>
/// One node's view of the membership: an immutable snapshot with SWIM's rules as functions from snapshot to snapshot
/// (Das, Gupta, Motivala: "SWIM", DSN 2002). Time is monotonic and comes in from outside.
/// </summary>
public sealed record MembershipTable(string Self, ImmutableSortedDictionary<string, TrackedMember> Members)
{
    /// <summary>A table that knows only its own node.</summary>
    public static MembershipTable Create(Member self, TimeSpan now) =>
        new(self.NodeId, ImmutableSortedDictionary.Create<string, TrackedMember>(StringComparer.Ordinal)
            .Add(self.NodeId, new TrackedMember(self, now)));

    public Member SelfMember => Members[Self].Member;

    /// <summary>How often an older process claimed this node's name since this one started.</summary>
    public int NameClaims { get; init; }

    public IEnumerable<Member> All => Members.Values.Select(tracked => tracked.Member);

    public IEnumerable<Member> OtherLive =>
        All.Where(member => member.NodeId != Self && member.State <= MemberState.Suspect);

    public Member? Find(string nodeId) => Members.GetValueOrDefault(nodeId)?.Member;

    /// <summary>Takes in what a peer says.</summary>
    public MembershipTable Merge(IEnumerable<Member> claims, TimeSpan now)
    {
        var table = this;
        foreach (var claim in claims)
            table = claim.NodeId == Self ? table.HearAboutSelf(claim, now) : table.HearAboutOther(claim, now);
        return table;
    }

    private MembershipTable HearAboutOther(Member claim, TimeSpan now) =>
        Members.TryGetValue(claim.NodeId, out var known) && !claim.Overrides(known.Member) ? this : Set(claim, now);

    // A member never accepts what is said of it: it answers with a higher incarnation (SWIM, section 4.2).
    private MembershipTable HearAboutSelf(Member claim, TimeSpan now)
    {
        var self = SelfMember;
        var foreign = claim.Boot != self.Boot;
        if (claim.Incarnation < self.Incarnation || (!foreign && !claim.Overrides(self)))
            return this;
        if (self.State == MemberState.Left)
            return this;
        var refuted = Set(self with { Incarnation = claim.Incarnation + 1 }, now);
        // Of two namesakes the one that started later is in the wrong.
        return foreign && claim.StartedAtUnixMs <= self.StartedAtUnixMs ? refuted with { NameClaims = NameClaims + 1 } : refuted;
    }

    /// <summary>A probe of <paramref name="nodeId"/> got no answer in time.</summary>
    public MembershipTable ProbeFailed(string nodeId, TimeSpan now) =>
        Find(nodeId) is { State: MemberState.Alive } member ? Set(member with { State = MemberState.Suspect }, now) : this;

    /// <summary>
    /// The peer itself answered. A suspicion about that same process is dropped here at once; the peer refutes it for
    /// everyone else.
    /// </summary>
    public MembershipTable Answered(Member peer, TimeSpan now)
    {
        var merged = peer.NodeId == Self ? this : HearAboutOther(peer, now);
        return merged.Find(peer.NodeId) is { State: MemberState.Suspect } known && known.Boot == peer.Boot
            ? merged.Set(known with { State = MemberState.Alive }, now)
            : merged;
    }

    /// <summary>Suspects whose time is up are dead; the long dead are forgotten.</summary>
    public MembershipTable Tick(TimeSpan now, MembershipSettings settings)
    {
        var table = this;
        foreach (var (member, since) in Members.Values)
        {
            if (member.NodeId == Self)
                continue;
            if (member.State == MemberState.Suspect && now - since >= settings.SuspectFor)
                table = table.Set(member with { State = MemberState.Dead }, now);
            else if (member.State >= MemberState.Dead && now - since >= settings.ForgetAfter)
                table = table with { Members = table.Members.Remove(member.NodeId) };
        }
        return table;
    }

    /// <summary>This node says goodbye.</summary>
    public MembershipTable Leave(TimeSpan now) =>
        Set(SelfMember with { State = MemberState.Left, Incarnation = SelfMember.Incarnation + 1 }, now);

    /// <summary>A random live peer to probe, or null when there is none.</summary>
    public Member? PickPeer(Random random)
    {
        var peers = OtherLive.ToList();
        return peers.Count == 0 ? null : peers[random.Next(peers.Count)];
    }

    private MembershipTable Set(Member member, TimeSpan now) =>
        this with { Members = Members.SetItem(member.NodeId, new TrackedMember(member, now)) };
}
