using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>A coordinator's process: the production election under a clock of its own.</summary>
internal sealed class SimNode
{
    private readonly World _world;
    private int _boots;
    private TimeSpan _started;
    private int _timer;

    public SimNode(World world, int id, double rate)
    {
        (_world, Id, Rate) = (world, id, rate);
        Start();
    }

    public int Id { get; }

    public string Name => $"{(char)('a' + Id)}";

    /// <summary>How fast its monotonic clock runs.</summary>
    public double Rate { get; }

    public TimeSpan WallOffset { get; set; }

    /// <summary>The highest token that this node has asked several stores for.</summary>
    public long Proposed { get; set; }

    public ElectionState State { get; private set; } = null!;

    public bool Runs { get; private set; }

    public TimeSpan PausedUntil { get; set; }

    public TimeSpan IsolatedUntil { get; set; }

    public string Boot => State.Boot;

    public TimeSpan Clock => _world.Bug.Clock(Monotonic, Monotonic + WallOffset);

    private TimeSpan Monotonic => (_world.Now - _started) * Rate;

    public bool Stands => _world.Now < PausedUntil;

    public bool Leads => Runs && _world.Bug.Leads(State, Clock);

    public void Start()
    {
        _started = _world.Now;
        _boots++;
        Runs = true;
        // The highest token is on the node's disk.
        State = new ElectionState(Name, $"{Name}{_boots}")
        {
            MaxToken = _world.Bug.RemembersTokens ? State?.MaxToken ?? 0 : 0,
        };
        Feed(new ElectionInput.Candidates([], _world.Order.Count));
        _world.Join(this, () => Feed(new ElectionInput.Candidates(_world.Order, _world.Order.Count)));
    }

    public void Crash()
    {
        if (!Runs)
            return;
        Runs = false;
        _timer++;
        PausedUntil = TimeSpan.Zero;
    }

    /// <summary>
    /// Hands an input to the process <paramref name="boot"/>, when it is there and not standing still.
    /// </summary>
    public void Deliver(string boot, ElectionInput input)
    {
        if (!Runs || Boot != boot)
            return;
        if (Stands)
            _world.At(PausedUntil - _world.Now, () => Deliver(boot, input));
        else
            Feed(input);
    }

    private void Feed(ElectionInput input)
    {
        var (state, effects) = Election.Step(State, input, Clock, _world.Settings, _world.Random);
        State = state;
        foreach (var effect in effects)
            _world.Perform(this, effect);
        SetTimer();
    }

    private void SetTimer()
    {
        var timer = ++_timer;
        var wait = (State.NextTick - Clock) / Rate;
        _world.At(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), Ring);

        void Ring()
        {
            if (timer != _timer || !Runs)
                return;
            if (Stands)
                _world.At(PausedUntil - _world.Now, Ring);
            else
                Feed(new ElectionInput.Tick());
        }
    }
}
