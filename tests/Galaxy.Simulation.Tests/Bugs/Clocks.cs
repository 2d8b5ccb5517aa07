using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests.Bugs;

/// <summary>The holder believes in its lease to the very end, whatever its clock's rate.</summary>
internal sealed class GuardRemoved : Bug
{
    public override TimeSpan CountedFrom(TimeSpan sentAt, TimeSpan answeredAt, LeaseSettings settings) =>
        sentAt + settings.Guard;
}

/// <summary>The lease is counted from when the answer came, though the store counted from before.</summary>
internal sealed class CountedFromTheAnswer : Bug
{
    public override TimeSpan CountedFrom(TimeSpan sentAt, TimeSpan answeredAt, LeaseSettings settings) => answeredAt;
}

/// <summary>The election reads the wall clock, which somebody sets back.</summary>
internal sealed class WallClock : Bug
{
    public override TimeSpan Clock(TimeSpan monotonic, TimeSpan wall) => wall;
}

/// <summary>A leader that is giving up goes on acting until it hears that the store knows.</summary>
internal sealed class ActsWhileResigning : Bug
{
    public override bool Leads(ElectionState state, TimeSpan now) =>
        state.Role == ElectionRole.Leader && now < state.LeadUntil;
}

/// <summary>Nobody looks at the clock between two renewals.</summary>
internal sealed class BelievesUntilRefused : Bug
{
    public override bool Leads(ElectionState state, TimeSpan now) =>
        state.Role == ElectionRole.Leader && !state.Resigning;
}
