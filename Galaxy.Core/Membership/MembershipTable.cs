using System.Collections.Immutable;

namespace Galaxy.Core.Membership;

/// <summary>A member with the monotonic time at which its present state began here.</summary>
/// <param name="Accusers">Of a suspect: the members that found it silent.</param>
public sealed record TrackedMember(Member Member, TimeSpan Since, ImmutableSortedSet<string> Accusers);

/// <summary>
/// One node's view of the membership: an immutable snapshot with SWIM's rules as functions from snapshot to snapshot
/// (Das, Gupta, Motivala: "SWIM", DSN 2002). Time is monotonic and comes in from outside.
/// </summary>
public sealed record MembershipTable(string Self, ImmutableSortedDictionary<string, TrackedMember> Members)
{
    /// <summary>A table that knows only its own node.</summary>
    public static MembershipTable Create(Member self, TimeSpan now) =>
        new(
            self.NodeId,
            ImmutableSortedDictionary
                .Create<string, TrackedMember>(StringComparer.Ordinal)
                .Add(self.NodeId, new TrackedMember(self, now, Claim.Nobody))
        );

    public Member SelfMember => Members[Self].Member;

    /// <summary>How often an older process claimed this node's name since this one started.</summary>
    public int NameClaims { get; init; }

    public IEnumerable<Member> All => Members.Values.Select(tracked => tracked.Member);

    /// <summary>Everything that this node would tell of the members.</summary>
    public IEnumerable<Claim> Claims => Members.Values.Select(tracked => new Claim(tracked.Member, tracked.Accusers));

    public IEnumerable<Member> OtherLive =>
        All.Where(member => member.NodeId != Self && member.State <= MemberState.Suspect);

    public Member? Find(string nodeId) => Members.GetValueOrDefault(nodeId)?.Member;

    /// <summary>What this node would tell of a member; null: it knows none of that name.</summary>
    public Claim? ClaimOf(string nodeId) =>
        Members.TryGetValue(nodeId, out var tracked) ? new Claim(tracked.Member, tracked.Accusers) : null;

    /// <summary>Takes in what a peer says; the same table when it is no news.</summary>
    public MembershipTable Merge(Claim claim, TimeSpan now) =>
        claim.Member.NodeId == Self ? HearAboutSelf(claim.Member, now) : HearAboutOther(claim, now);

    private MembershipTable HearAboutOther(Claim claim, TimeSpan now)
    {
        if (!Members.TryGetValue(claim.Member.NodeId, out var known) || claim.Member.Overrides(known.Member))
            return Set(claim.Member, now, claim.Accusers);
        return claim.Member.State == MemberState.Suspect && claim.Member == known.Member
            ? Accused(known, claim.Accusers)
            : this;
    }

    // A member never accepts what is said of it: it answers with a higher incarnation (SWIM, section 4.2).
    private MembershipTable HearAboutSelf(Member claim, TimeSpan now)
    {
        var self = SelfMember;
        var foreign = claim.Boot != self.Boot;
        if (claim.Incarnation < self.Incarnation || (!foreign && !claim.Overrides(self)))
            return this;
        if (self.State == MemberState.Left)
            return this;
        var refuted = Set(self with { Incarnation = claim.Incarnation + 1 }, now, Claim.Nobody);
        // Of two namesakes the one that started later is in the wrong.
        return foreign && claim.StartedAtUnixMs <= self.StartedAtUnixMs
            ? refuted with
            {
                NameClaims = NameClaims + 1,
            }
            : refuted;
    }

    /// <summary>
    /// Neither <paramref name="nodeId"/> nor the members that probed it on this node's behalf answered in time.
    /// </summary>
    public MembershipTable Suspect(string nodeId, TimeSpan now) =>
        Members.GetValueOrDefault(nodeId) switch
        {
            { Member: { State: MemberState.Alive } member } => Set(
                member with
                {
                    State = MemberState.Suspect,
                },
                now,
                [Self]
            ),
            { Member.State: MemberState.Suspect } known => Accused(known, [Self]),
            _ => this,
        };

    private MembershipTable Accused(TrackedMember known, ImmutableSortedSet<string> accusers)
    {
        var more = known.Accusers.Union(accusers);
        return more.Count == known.Accusers.Count
            ? this
            : this with
            {
                Members = Members.SetItem(known.Member.NodeId, known with { Accusers = more }),
            };
    }

    /// <summary>Suspects whose time is up are dead; the long dead are forgotten.</summary>
    public MembershipTable Tick(TimeSpan now, MembershipSettings settings)
    {
        var (live, alive) = (0, 0);
        foreach (var member in All)
        {
            live += member.State <= MemberState.Suspect ? 1 : 0;
            alive += member.State == MemberState.Alive ? 1 : 0;
        }
        var table = this;
        foreach (var (member, since, accusers) in Members.Values)
        {
            // All live members except one could confirm the first accusation.
            if (
                member.State == MemberState.Suspect
                && now - since >= settings.SuspectFor(live, Math.Max(0, alive - 1), Math.Max(0, accusers.Count - 1))
            )
                table = table.Set(member with { State = MemberState.Dead }, now, Claim.Nobody);
            else if (member.State >= MemberState.Dead && now - since >= settings.ForgetAfter && member.NodeId != Self)
                table = table with { Members = table.Members.Remove(member.NodeId) };
        }
        return table;
    }

    /// <summary>
    /// This node is reached elsewhere. A higher incarnation: otherwise the old address would be as good.
    /// </summary>
    public MembershipTable Move(string url, string grpcUrl, TimeSpan now) =>
        Set(
            SelfMember with
            {
                Url = url,
                GrpcUrl = grpcUrl,
                Incarnation = SelfMember.Incarnation + 1,
            },
            now,
            Claim.Nobody
        );

    /// <summary>This node says goodbye.</summary>
    public MembershipTable Leave(TimeSpan now) =>
        Set(SelfMember with { State = MemberState.Left, Incarnation = SelfMember.Incarnation + 1 }, now, Claim.Nobody);

    private MembershipTable Set(Member member, TimeSpan now, ImmutableSortedSet<string> accusers) =>
        this with
        {
            Members = Members.SetItem(member.NodeId, new TrackedMember(member, now, accusers)),
        };
}
