using Galaxy.Core.Membership;

namespace Galaxy.Simulation.Tests.Membership;

/// <summary>A simulated coordinator: its process, which may be replaced, paused or away.</summary>
internal sealed class SwimNode(string name, SwimBug bug, Random random)
{
    private int _boots;

    public string Name => name;

    public bool Up { get; set; }

    public bool Paused { get; set; }

    /// <summary>What it believed when it was last judged.</summary>
    public MembershipTable? Watched { get; set; }

    public Swim Swim { get; private set; } = null!;

    public string Boot => $"{name}-{_boots}";

    /// <summary>True for the turn of this very process, not of one that ended since.</summary>
    public bool Runs(string boot) => Up && Boot == boot;

    public void Start(TimeSpan now)
    {
        _boots++;
        (Up, Paused) = (true, false);
        var self = new Member(
            name,
            Boot,
            1,
            MemberState.Alive,
            "coordinator",
            "http://" + name,
            "http://" + name,
            1,
            "1",
            (long)now.TotalMilliseconds
        );
        Swim = new Swim(self, bug.Settings(), random, now);
    }

    public IReadOnlyList<SwimEffect> Receive(string from, SwimMessage message, TimeSpan now) =>
        Swim.Receive(from, message with { Claims = [.. bug.Distort(Swim, message.Claims)] }, now);

    /// <summary>A push-pull round.</summary>
    public void ExchangeWith(SwimNode peer, TimeSpan now)
    {
        peer.Swim.Merge(bug.Distort(peer.Swim, Swim.Table.Claims), now);
        Swim.Merge(bug.Distort(Swim, peer.Swim.Table.Claims), now);
    }
}
