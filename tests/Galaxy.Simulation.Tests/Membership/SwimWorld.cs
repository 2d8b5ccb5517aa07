using Galaxy.Core.Membership;

namespace Galaxy.Simulation.Tests.Membership;

internal sealed class SwimViolationException(string message) : Exception(message);

/// <summary>
/// Coordinators that find out who lives, over a network that delays, loses, repeats and cuts, while processes are
/// killed, paused and restarted. One thread, a virtual clock; everything follows from the seed.
/// </summary>
internal sealed class SwimWorld
{
    private static readonly TimeSpan ExchangeEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KnockEvery = TimeSpan.FromSeconds(3);

    private readonly Random _random;
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private readonly HashSet<(string From, string To)> _cut = [];
    private readonly Dictionary<string, SwimNode> _byName;
    private readonly Queue<string> _history = new();
    private TimeSpan _now;
    private long _order;

    public SwimWorld(int seed, SwimBug bug, int nodes = 0)
    {
        _random = new Random(seed);
        var count =
            nodes > 0 ? nodes
            : _random.Next(12) == 0 ? _random.Next(20, 60)
            : _random.Next(3, 9);
        Nodes = [.. Enumerable.Range(0, count).Select(i => new SwimNode("n" + i, bug, _random))];
        _byName = Nodes.ToDictionary(node => node.Name);
    }

    public IReadOnlyList<SwimNode> Nodes { get; }

    public TimeSpan Now => _now;

    public double Loss { get; set; }

    /// <summary>When set: nobody may be believed to be this, or worse, while it lives.</summary>
    public MemberState? Forbidden { get; set; }

    public long Messages { get; private set; }

    private IEnumerable<SwimNode> Living => Nodes.Where(node => node.Up);

    /// <summary>
    /// Random faults, then peace, in which everybody must come to know the truth; then what peace must not bring.
    /// </summary>
    public void Run()
    {
        foreach (var node in Nodes)
            At(TimeSpan.FromMilliseconds(_random.Next(2000)), () => Start(node));
        Loss = _random.Next(4) * 0.1;
        var chaos = TimeSpan.FromSeconds(_random.Next(10, 60));
        for (var at = TimeSpan.FromSeconds(3); at < chaos; at += TimeSpan.FromMilliseconds(_random.Next(200, 6000)))
            At(at, Happen);
        RunFor(chaos);
        Heal();
        RunFor(TimeSpan.FromSeconds(60));
        // A lost answer makes a suspect for a moment.
        Loss = 0;
        RunFor(TimeSpan.FromSeconds(30));
        MustAgree("after everything healed");

        Loss = 0.05;
        Forbidden = MemberState.Dead;
        RunFor(TimeSpan.FromSeconds(60));

        Loss = 0;
        RunFor(TimeSpan.FromSeconds(20));
        var living = Living.ToList();
        if (living.Count < 3)
            return;
        var (one, other) = (living[0], living[1]);
        Log($"the link between {one.Name} and {other.Name} breaks");
        _cut.UnionWith([(one.Name, other.Name), (other.Name, one.Name)]);
        Forbidden = MemberState.Suspect;
        RunFor(TimeSpan.FromSeconds(20));
        _cut.Clear();
        Forbidden = null;
        RunFor(TimeSpan.FromSeconds(10));
        KillAndMeasure(living[^1]);
    }

    /// <summary>How long until the last one knows that a killed node is dead.</summary>
    public TimeSpan KillAndMeasure(SwimNode victim)
    {
        var killed = _now;
        Kill(victim);
        var bound =
            new MembershipSettings().SuspectAtLeast * Math.Max(1, Math.Log10(Nodes.Count)) + TimeSpan.FromSeconds(12);
        while (Living.Any(node => node.Swim.Table.Find(victim.Name)?.State is MemberState.Alive or MemberState.Suspect))
        {
            if (_now - killed > bound)
                throw Violation(
                    $"{victim.Name} is not known to be dead {bound.TotalSeconds:0.0} s after it was "
                        + $"killed: {Beliefs(victim)}"
                );
            RunFor(TimeSpan.FromMilliseconds(100));
        }
        return _now - killed;
    }

    public void Start(SwimNode node)
    {
        node.Start(_now);
        Log($"{node.Name} starts as {node.Boot}");
        var boot = node.Boot;
        Every(KnockEvery, node, boot, () => Knock(node), TimeSpan.Zero);
        Every(ExchangeEvery, node, boot, () => Exchange(node), ExchangeEvery * _random.NextDouble());
        Turn(node, boot);
    }

    public void Kill(SwimNode node)
    {
        Log($"{node.Name} is killed");
        node.Up = false;
    }

    public void RunFor(TimeSpan span)
    {
        var until = _now + span;
        while (_events.TryPeek(out _, out var when) && when.At <= until)
        {
            _now = when.At;
            _events.Dequeue()();
        }
        _now = until;
    }

    public void MustAgree(string when)
    {
        foreach (var node in Living)
        {
            foreach (var other in Nodes)
            {
                var belief = node.Swim.Table.Find(other.Name);
                var right = other.Up
                    ? belief is { State: MemberState.Alive } && belief.Boot == other.Boot
                    : belief is null or { State: MemberState.Dead or MemberState.Left };
                if (!right)
                    throw Violation(
                        $"{when}, {node.Name} believes {belief} of {other.Name}, which "
                            + $"{(other.Up ? "lives as " + other.Boot : "is dead")}"
                    );
            }
        }
    }

    private void Heal()
    {
        Log("everything heals");
        _cut.Clear();
        Loss = 0.05;
        foreach (var node in Nodes)
        {
            if (node.Paused)
                Resume(node);
            else if (!node.Up && _random.Next(2) == 0)
                Start(node);
        }
    }

    private void Happen()
    {
        var node = Nodes[_random.Next(Nodes.Count)];
        switch (_random.Next(10))
        {
            case 0 or 1 when node.Up && Living.Count() > 2:
                Kill(node);
                break;
            case 2 when node.Up && Living.Count() > 2:
                Log($"{node.Name} leaves");
                node.Swim.Leave(_now);
                foreach (var peer in Living.Where(peer => peer != node && !peer.Paused).Take(5))
                    node.ExchangeWith(peer, _now);
                node.Up = false;
                break;
            case 3 or 4 when !node.Up:
                Start(node);
                break;
            case 5 or 6 when node.Up && !node.Paused:
                Log($"{node.Name} pauses");
                node.Paused = true;
                At(_now + TimeSpan.FromMilliseconds(_random.Next(100, 15_000)), () => Resume(node));
                break;
            case 7:
                var side = Nodes.Where(_ => _random.Next(2) == 0).Select(other => other.Name).ToHashSet();
                Log($"cut off: {string.Join(' ', side)}");
                _cut.UnionWith(
                    Nodes.SelectMany(from =>
                        Nodes
                            .Where(to => side.Contains(from.Name) != side.Contains(to.Name))
                            .Select(to => (from.Name, to.Name))
                    )
                );
                break;
            case 8:
                Log("the network heals");
                _cut.Clear();
                break;
        }
    }

    private void Resume(SwimNode node)
    {
        if (!node.Paused)
            return;
        Log($"{node.Name} goes on");
        node.Paused = false;
    }

    // A paused process's turns come when it goes on.
    private void Turn(SwimNode node, string boot)
    {
        if (!node.Runs(boot))
            return;
        if (node.Paused)
        {
            At(_now + TimeSpan.FromMilliseconds(50), () => Turn(node, boot));
            return;
        }
        Perform(node, node.Swim.Tick(_now));
        var next = node.Swim.NextTick;
        At(next > _now ? next : _now + TimeSpan.FromMilliseconds(1), () => Turn(node, boot));
    }

    private void Every(TimeSpan period, SwimNode node, string boot, Action act, TimeSpan first) =>
        At(_now + first, () =>
        {
            if (!node.Runs(boot))
                return;
            if (!node.Paused)
                act();
            Every(period, node, boot, act, period);
        });

    // The seeds, and who was lost.
    private void Knock(SwimNode node)
    {
        foreach (
            var door in Nodes
                .Take(3)
                .Concat(Nodes.Where(other => node.Swim.Table.Find(other.Name) is { State: MemberState.Dead }).Take(5))
        )
        {
            if (node.Swim.Table.OtherLive.All(known => known.NodeId != door.Name))
                ExchangeWith(node, door);
        }
    }

    private void Exchange(SwimNode node) => ExchangeWith(node, Nodes[_random.Next(Nodes.Count)]);

    private void ExchangeWith(SwimNode node, SwimNode peer)
    {
        if (
            peer != node
            && peer.Up
            && !peer.Paused
            && !_cut.Contains((node.Name, peer.Name))
            && !_cut.Contains((peer.Name, node.Name))
            && _random.NextDouble() >= Loss
        )
        {
            node.ExchangeWith(peer, _now);
            Watch(node);
            Watch(peer);
        }
    }

    private void Perform(SwimNode node, IReadOnlyList<SwimEffect> effects)
    {
        Watch(node);
        foreach (var send in effects.OfType<SwimEffect.Send>())
            Deliver(node, _byName[send.To], send.Message);
    }

    private void Deliver(SwimNode from, SwimNode to, SwimMessage message)
    {
        Messages++;
        for (var copies = _random.Next(20) == 0 ? 2 : 1; copies > 0; copies--)
        {
            if (_cut.Contains((from.Name, to.Name)) || _random.NextDouble() < Loss)
                continue;
            At(_now + TimeSpan.FromMilliseconds(_random.Next(1, 40)), () =>
            {
                if (to.Up && !to.Paused)
                    Perform(to, to.Receive(from.Name, message, _now));
            });
        }
    }

    private void Watch(SwimNode node)
    {
        if (node.Up && node.Swim.Table.SelfMember is { State: not MemberState.Alive } self)
            throw Violation($"{node.Name} believes of itself: {self.State}");
        if (Forbidden is not { } worst || ReferenceEquals(node.Watched, node.Swim.Table))
            return;
        node.Watched = node.Swim.Table;
        foreach (var belief in node.Watched.All.Where(belief => belief.State >= worst && _byName[belief.NodeId].Up))
            throw Violation($"{node.Name} takes {belief.NodeId}, which lives, for {belief.State}");
    }

    private string Beliefs(SwimNode about) =>
        string.Join(", ", Living.Select(node => $"{node.Name}: {node.Swim.Table.Find(about.Name)?.State}"));

    private void At(TimeSpan when, Action happens) => _events.Enqueue(happens, (when, _order++));

    private void Log(string line)
    {
        _history.Enqueue($"{_now.TotalSeconds, 8:0.000} {line}");
        if (_history.Count > 60)
            _history.Dequeue();
    }

    private SwimViolationException Violation(string what) => new($"{what}\n{string.Join('\n', _history)}");
}
