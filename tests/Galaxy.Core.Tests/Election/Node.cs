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

    public static LeaseRecord LeaseOf(string other, long token) =>
        new(other, other + "-boot", token, "http://" + other, "", 0);

    public IReadOnlyList<ElectionEffect> Feed(ElectionInput input)
    {
        var (state, effects) = Core.Election.Election.Step(State, input, Now, Settings, new Random(1));
        State = state;
        return effects;
    }

    /// <summary>Puts so many others before it; null: it may not stand.</summary>
    public void Ranked(int? rank, int coordinators = 3) =>
        Feed(
            new ElectionInput.Candidates(
                [
                    .. Enumerable.Range(0, rank ?? 1).Select(i => "other" + i),
                    .. rank is null ? [] : new[] { State.NodeId },
                ],
                coordinators
            )
        );

    /// <summary>It knows that <paramref name="leader"/> leads, and is ranked right after it.</summary>
    public LeaseRecord Follow(string leader, long token, int coordinators = 3)
    {
        Feed(new ElectionInput.Candidates([leader, State.NodeId], coordinators));
        Tick();
        Feed(new ElectionInput.LeaseRead(LeaseOf(leader, token), null));
        return LeaseOf(leader, token);
    }

    public IReadOnlyList<ElectionEffect> Tick() => Feed(new ElectionInput.Tick());

    /// <summary>Takes it through read, stand and acquire; it leads when this returns.</summary>
    public Node Elected(long token)
    {
        Ranked(0);
        Tick();
        Feed(new ElectionInput.LeaseRead(null, null));
        Assert.IsType<ElectionEffect.Acquire>(Assert.Single(Tick()));
        Feed(new ElectionInput.Acquired(Lease(token), Now));
        Assert.True(Leads);
        return this;
    }
}
