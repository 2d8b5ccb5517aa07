using Galaxy.Core.Membership;

namespace Galaxy.Simulation.Tests.Membership;

/// <summary>Deliberate mistakes, each of which the simulation must find.</summary>
internal enum SwimBug
{
    None,

    /// <summary>Who is accused does not defend itself.</summary>
    NoRefutation,

    /// <summary>Who does not answer at once is dead at once.</summary>
    NoSuspicion,

    /// <summary>Nobody else is asked to try.</summary>
    NoIndirectProbes,

    /// <summary>A suspicion takes as long whoever agrees.</summary>
    SuspicionNeverShortens,

    /// <summary>The dead are forgotten at once, and come back with the next old news.</summary>
    DeadForgottenAtOnce,

    /// <summary>News is believed however old it is.</summary>
    OldNewsBelieved,

    /// <summary>News is told once.</summary>
    NewsToldOnce,

    /// <summary>A restarted process does not get above what was said of the one before.</summary>
    RestartNotSeen,
}

internal static class SwimBugs
{
    public static MembershipSettings Settings(this SwimBug bug) =>
        bug switch
        {
            SwimBug.NoSuspicion => new MembershipSettings { SuspectAtLeast = TimeSpan.Zero },
            SwimBug.NoIndirectProbes => new MembershipSettings { IndirectProbes = 0 },
            SwimBug.SuspicionNeverShortens => new MembershipSettings
            {
                EnoughAccusers = int.MaxValue,
                SuspectAtLeast = TimeSpan.FromSeconds(3),
                LonelySuspicionFactor = 12,
            },
            SwimBug.DeadForgottenAtOnce => new MembershipSettings { ForgetAfter = TimeSpan.Zero },
            SwimBug.NewsToldOnce => new MembershipSettings { TellFactor = 0.1 },
            _ => new MembershipSettings(),
        };

    /// <summary>What a node with the bug makes of what it hears.</summary>
    public static IEnumerable<Claim> Distort(this SwimBug bug, Swim listener, IEnumerable<Claim> claims) =>
        bug switch
        {
            SwimBug.NoRefutation => claims.Where(claim => claim.Member.NodeId != listener.Table.Self),
            SwimBug.RestartNotSeen => claims.Where(claim =>
                claim.Member.NodeId != listener.Table.Self || claim.Member.Boot == listener.Table.SelfMember.Boot
            ),
            SwimBug.OldNewsBelieved => claims.Select(claim =>
                listener.Table.Find(claim.Member.NodeId) is { } known
                && known.NodeId != listener.Table.Self
                && claim.Member.Incarnation <= known.Incarnation
                    ? claim with
                    {
                        Member = claim.Member with { Incarnation = known.Incarnation + 1 },
                    }
                    : claim
            ),
            _ => claims,
        };
}
