using Galaxy.Core.Election;

namespace Galaxy.Core.Tests.Election;

/// <summary>
/// Three electors and a store in one thread: calls are delayed, lost or answered late, nodes pause, the store goes away.
/// A failing seed is in the message and replays exactly.
/// </summary>
public class ElectionRandomTests
{
    private const int Seeds = 200;
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(2);

    [Fact]
    public void At_most_one_node_leads_at_any_moment_and_tokens_only_grow()
    {
        for (var seed = 1; seed <= Seeds; seed++)
            new World(seed).Run(Length);
    }

    [Fact]
    public void When_the_trouble_ends_somebody_leads_within_two_leases()
    {
        for (var seed = 1; seed <= Seeds / 4; seed++)
        {
            var world = new World(seed);
            world.Run(TimeSpan.FromSeconds(30));
            world.Calm();
            world.Run(TimeSpan.FromSeconds(30) + LeaseSettings.Lan.Ttl * 2);
            Assert.True(world.Leaders == 1, $"seed {seed}: {world.Leaders} leaders");
        }
    }

    private sealed class World
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly List<Node> _nodes = [];
        private readonly PriorityQueue<Action, (TimeSpan At, int Order)> _events = new();
        private readonly Dictionary<Node, TimeSpan> _pausedUntil = [];
        private TimeSpan _now;
        private int _order;
        private double _trouble = 0.15;
        private LeaseRecord? _lease;
        private TimeSpan _leaseEnds;
        private long _token;
        private long _highestLed;

        public World(int seed)
        {
            (_seed, _random) = (seed, new Random(seed));
            foreach (var (name, rank) in new[] { ("a", 0), ("b", 1), ("c", 2) })
            {
                var node = new Node(name);
                _nodes.Add(node);
                Feed(node, new ElectionInput.Ranked(rank));
                Wake(node);
            }
        }

        public int Leaders => _nodes.Count(node => node.Leads);

        public void Calm() => _trouble = 0;

        public void Run(TimeSpan until)
        {
            while (_events.TryPeek(out _, out var next) && next.At < until)
            {
                var happens = _events.Dequeue();
                _now = next.At;
                foreach (var node in _nodes)
                    node.Now = _now;
                happens();
                Assert.True(Leaders <= 1, $"seed {_seed}: two leaders at {_now}");
            }
        }

        private void At(TimeSpan delay, Action action) => _events.Enqueue(action, (_now + delay, _order++));

        private void Wake(Node node)
        {
            var wait = node.State.NextTick - _now;
            At(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), () =>
            {
                Feed(node, new ElectionInput.Tick());
                if (_random.NextDouble() < _trouble / 20)
                    _pausedUntil[node] = _now + TimeSpan.FromMilliseconds(_random.Next(8000));
                Wake(node);
            });
        }

        private void Feed(Node node, ElectionInput input)
        {
            if (_pausedUntil.TryGetValue(node, out var until) && until > _now)
            {
                At(until - _now, () => Feed(node, input));
                return;
            }
            foreach (var effect in node.Feed(input))
                Perform(node, effect);
        }

        private void Perform(Node node, ElectionEffect effect)
        {
            switch (effect)
            {
                case ElectionEffect.ReadLease:
                    Call(node, _ => new ElectionInput.LeaseRead(Present, null));
                    break;
                case ElectionEffect.Acquire acquire:
                    Call(node, sentAt => Acquire(node, acquire.MinToken, sentAt));
                    break;
                case ElectionEffect.Renew renew:
                    Call(node, sentAt =>
                    {
                        if (Present?.Boot != node.State.Boot || Present.Token != renew.Token)
                            return new ElectionInput.RenewRefused(renew.Token);
                        _leaseEnds = _now + node.Settings.Ttl;
                        return new ElectionInput.Renewed(renew.Token, sentAt);
                    });
                    break;
                case ElectionEffect.BecameLeader became:
                    Assert.True(became.Lease.Token > _highestLed, $"seed {_seed}: token {became.Lease.Token} after {_highestLed}");
                    _highestLed = became.Lease.Token;
                    break;
            }
        }

        private LeaseRecord? Present => _leaseEnds > _now ? _lease : null;

        private ElectionInput Acquire(Node node, long minToken, TimeSpan sentAt)
        {
            if (Present is { } held)
                return new ElectionInput.AcquireRefused(held);
            _token = Math.Max(_token, minToken) + 1;
            _lease = node.Lease(_token);
            _leaseEnds = _now + node.Settings.Ttl;
            return new ElectionInput.Acquired(_lease, sentAt);
        }

        private void Call(Node node, Func<TimeSpan, ElectionInput> atStore)
        {
            var sentAt = _now;
            if (Trouble())
                return;
            At(Delay(), () =>
            {
                var answer = atStore(sentAt);
                // The store did it, though the answer may never come.
                if (!Trouble())
                    At(Delay(), () => Feed(node, answer));
            });
        }

        private bool Trouble() => _random.NextDouble() < _trouble;

        private TimeSpan Delay() => TimeSpan.FromMilliseconds(Trouble() ? _random.Next(4000) : _random.Next(1, 20));
    }
}
