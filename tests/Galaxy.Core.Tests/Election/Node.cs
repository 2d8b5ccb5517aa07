using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

/// <summary>One elector under a clock that the test moves.</summary>
internal sealed class Node(string name, LeaseSettings? settings = null)
{
    public LeaseSettings Settings { get; } = settings ?? LeaseSettings.Lan;

    public ElectionState State { get; private set; } = new(name, name + "-boot");

    public TimeSpan Now { get; set; }

    public bool Leads => State.LeadsAt(Now);

    public LeaseRecord Lease(long token) => new(State.NodeId, State.Boot, token, "http://" + State.NodeId, "", 0);

    public static LeaseRecord LeaseOf(string other, long token) => new(other, other + "-boot", token, "http://" + other, "", 0);

    public IReadOnlyList<ElectionEffect> Feed(ElectionInput input)
    {
        var (state, effects) = Core.Election.Election.Step(State, input, Now, Settings, new Random(1));
        State = state;
        return effects;
    }

    public IReadOnlyList<ElectionEffect> Tick() => Feed(new ElectionInput.Tick());

    /// <summary>Takes it through read, stand and acquire; it leads when this returns.</summary>
    public Node Elected(long token)
    {
        Feed(new ElectionInput.Ranked(0));
        Tick();
        Feed(new ElectionInput.LeaseRead(null, null));
        Assert.IsType<ElectionEffect.Acquire>(Assert.Single(Tick()));
        Feed(new ElectionInput.Acquired(Lease(token), Now));
        Assert.True(Leads);
        return this;
    }
}
