using System.Text;
using Galaxy.Core.Clocks;
using Galaxy.Core.Gossip;
using Galaxy.Core.State;

namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>What went wrong, with what led to it.</summary>
internal sealed class GossipViolationException(string message) : Exception(message);

/// <summary>
/// Coordinators that write, gossip, compact, crash, lose power and come back from old snapshots, in one thread with a
/// virtual clock: messages are delayed, lost, repeated and reordered, and partitions come and go. Everything follows
/// from the seed.
/// </summary>
internal sealed class GossipWorld
{
    private const int HopMs = 20;
    private const int ExchangeMs = 1000;
    private static readonly string[] Keys = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];

    private readonly Random _random;
    private readonly GossipBug _bug;
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly List<StateEntry> _writes = [];
    private readonly HashSet<Dot> _dots = [];
    private readonly Dictionary<(string, string), bool> _cut = [];
    private readonly double _loss;
    private readonly double _doubled;
    private readonly bool _compacts;
    private readonly bool _losesPower;

    // A node of the version before does not say whom else it tells.
    private readonly bool _tells;
    private readonly Queue<string> _history = new();

    // Keys that a node wrote before it had caught up, while others may have dropped what its write should have been
    // held against. The nodes must still agree; which value they agree on, docs/protocols/state.md leaves open.
    private readonly HashSet<string> _open = [];
    private long _rounds;
    private long _order;
    private long _now = 1_000_000;

    public GossipWorld(int seed, GossipBug bug)
    {
        _random = new Random(seed);
        _bug = bug;
        _loss = _random.Next(3) * 0.15;
        _doubled = _random.Next(3) * 0.1;
        _compacts = _random.Next(3) > 0;
        _losesPower = _random.Next(2) == 0;
        _tells = seed % 2 == 0;
        Nodes =
        [
            .. Enumerable
                .Range(0, _random.Next(20) == 0 ? 40 : _random.Next(3, 8))
                .Select(i => new GossipNode("n" + i, _random, bug) { Skew = _random.Next(-5000, 5000) }),
        ];
    }

    public IReadOnlyList<GossipNode> Nodes { get; }

    public void Run()
    {
        var end = _now + _random.Next(5_000, 40_000);
        foreach (var node in Nodes)
        {
            Every(HopMs, node, () => Spread(node), end);
            Every(ExchangeMs, node, () => Exchange(node), end);
            Every(2000, node, () => Compact(node), end);
        }
        for (var at = _now; at < end; at += _random.Next(10, 600))
            At(at, Happen);
        while (_events.TryDequeue(out var happens, out var when))
        {
            _now = when.At;
            happens();
        }
        Heal();
    }

    // Each turn is a round for every rumor.
    private TimeSpan Clock => TimeSpan.FromDays(++_rounds);

    private void At(long at, Action happens) => _events.Enqueue(happens, (at, _order++));

    private void Every(int ms, GossipNode node, Action happens, long end)
    {
        void Turn()
        {
            if (node.Up)
                happens();
            if (_now + ms < end)
                At(_now + ms, Turn);
        }
        At(_now + _random.Next(ms), Turn);
    }

    private void Happen()
    {
        var node = Nodes[_random.Next(Nodes.Count)];
        switch (_random.Next(20))
        {
            case < 11 when node.Up:
                Write(node);
                break;
            case 11 or 12 when node.Up:
                Log($"{node.Name} snapshots");
                node.TakeSnapshot();
                break;
            case 13:
                Log($"{node.Name} stops");
                node.Up = false;
                break;
            case 14 or 15:
                Restart(node);
                break;
            case 16 or 17:
                Cut();
                break;
            case 18:
                _cut.Clear();
                Log("healed");
                break;
            case 19:
                node.Skew = _random.Next(-5000, 5000);
                break;
        }
    }

    private void Restart(GossipNode node)
    {
        // A process that dies loses nothing. A machine that loses power loses the last second; a restored one goes far
        // back.
        var (lost, old) = (_losesPower ? _random.Next(4) : 0, _losesPower && _random.Next(6) == 0);
        node.Restart(lost, old);
        Log(
            $"{node.Name} restarts as {node.Map.Origin}{(old ? " from an old snapshot" : lost > 0 ? $", {lost} records lost" : "")} with {node.Map.Summary}"
        );
    }

    private void Write(GossipNode node)
    {
        var policy = (ConflictPolicy)_random.Next(5);
        var key = Keys[((int)policy * 2) + _random.Next(2)];
        var id = new EntryId("ns", key);
        var text =
            policy == ConflictPolicy.Merge
                ? $"{{\"f{_random.Next(3)}\":{_random.Next(100)},\"t\":{{\"$set\":[{_random.Next(3)}]}}}}"
                : $"{node.Name}-{_random.Next(1000)}";
        if (_compacts && node.IsUninformed)
            _open.Add(key);
        var entry = node.Write(
            id,
            StateWrite.Of(_random.Next(4) == 0 ? null : Encoding.UTF8.GetBytes(text), policy, _random.Next(3)),
            _now
        );
        if (entry is null)
            return;
        var dot = entry.Latest.Dot;
        Log($"{node.Name} writes {key} {dot}{(entry.IsTombstone ? " deleted" : "")}");
        if (!_dots.Add(dot))
            throw Violation($"two writes share the dot {dot}");
        // What the writer has compacted away it had seen, and its context need not say so.
        _writes.Add(entry with { Context = entry.Context.Merge(node.Map.Pruned) });
    }

    private void Cut()
    {
        var side = Nodes.Where(_ => _random.Next(2) == 0).Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var from in Nodes)
        {
            foreach (var to in Nodes.Where(to => side.Contains(from.Name) != side.Contains(to.Name)))
                _cut[(from.Name, to.Name)] = true;
        }
        Log($"cut off: {string.Join(' ', side)}");
    }

    private bool Reaches(GossipNode from, GossipNode to) =>
        to.Up && !_cut.ContainsKey((from.Name, to.Name)) && _random.NextDouble() >= _loss;

    private void Spread(GossipNode node)
    {
        foreach (
            var batch in node.Mill.Round([.. Nodes.Where(other => other != node).Select(other => other.Name)], Clock)
        )
        {
            var peer = Nodes.Single(other => other.Name == batch.Peer);
            var (entries, pruned) = node.Batch(batch.Entries);
            for (var copies = _random.NextDouble() < _doubled ? 2 : 1; copies > 0; copies--)
            {
                if (Reaches(node, peer))
                    At(_now + _random.Next(1, 300), () =>
                        Deliver(Knowing(node, batch), peer, batch.Hops, entries, pruned)
                    );
            }
        }
    }

    private IReadOnlyList<string> Knowing(GossipNode node, RumorBatch batch) =>
        _tells ? [node.Name, .. batch.Told] : [node.Name];

    private void Deliver(
        IReadOnlyList<string> knowing,
        GossipNode to,
        int hops,
        List<StateEntry> entries,
        VersionVector pruned
    )
    {
        if (!to.Up)
            return;
        if (hops > 10)
            throw Violation($"a rumor is {hops} hops old");
        to.Receive(knowing, hops, entries, pruned, _now);
    }

    private void Exchange(GossipNode node)
    {
        var peer = Nodes[_random.Next(Nodes.Count)];
        if (peer == node || !Reaches(node, peer) || !Reaches(peer, node))
            return;
        var before = node.Map.Summary;
        node.ExchangeWith(peer, _random.Next(2) == 0 ? 400 : 1_000_000, _now);
        if (!node.Map.Summary.Dominates(before))
            throw Violation($"{node.Name} forgot what it had seen: {before} became {node.Map.Summary}");
    }

    private void Compact(GossipNode node)
    {
        if (_compacts)
            node.Compact(Nodes);
    }

    // No more faults: after enough exchanges everybody has everything, and rumors have died.
    private void Heal()
    {
        _cut.Clear();
        foreach (var node in Nodes.Where(node => !node.Up))
            node.Restart(0, false);
        var known = Nodes
            .SelectMany(node => node.Map.All)
            .SelectMany(entry => entry.Versions)
            .Select(version => version.Dot)
            .Concat(
                _writes
                    .Select(write => write.Latest.Dot)
                    .Where(dot => Nodes.Any(node => node.Map.Summary.Contains(dot)))
            )
            .ToHashSet();
        ExchangeAll();
        for (var round = 0; Nodes.Any(node => node.Mill.IsBusy); round++)
        {
            if (round > 50)
                throw Violation("rumors do not die");
            foreach (var node in Nodes)
            {
                foreach (
                    var batch in node.Mill.Round(
                        [.. Nodes.Where(other => other != node).Select(other => other.Name)],
                        Clock
                    )
                )
                {
                    var (entries, pruned) = node.Batch(batch.Entries);
                    Deliver(
                        Knowing(node, batch),
                        Nodes.Single(other => other.Name == batch.Peer),
                        batch.Hops,
                        entries,
                        pruned
                    );
                }
            }
        }
        ExchangeAll();
        Judge(known);
    }

    private void ExchangeAll()
    {
        for (var round = 0; round < 3; round++)
        {
            foreach (var node in Nodes)
            {
                foreach (var peer in Nodes.Where(peer => peer != node))
                    node.ExchangeWith(peer, 1_000_000, _now);
            }
        }
    }

    private void Judge(HashSet<Dot> known)
    {
        if (Nodes.Select(node => Seen(node.Map.All)).Distinct().Count() > 1)
            throw Violation(
                $"readers see different things:\n{string.Join("\n--\n", Nodes.Select(node => Seen(node.Map.All)))}"
            );
        var expected = Expected([
            .. _writes.Where(write => known.Contains(write.Latest.Dot) && !_open.Contains(write.Key)),
        ]);
        var seen = Seen(Nodes[0].Map.All.Where(entry => !_open.Contains(entry.Key)));
        if (seen != expected)
            throw Violation($"all show\n{seen}\nand should show\n{expected}");
        // With the same knowledge of what everybody has, they are equal to the byte.
        foreach (var node in Nodes)
            node.Map.Compact(Nodes.Aggregate(Nodes[0].Map.Summary, (common, other) => common.Meet(other.Map.Summary)));
        if (Nodes.Select(node => Bytes(node.Map)).Distinct().Count() > 1)
            throw Violation(
                $"the nodes are not equal:\n{string.Join("\n--\n", Nodes.Select(node => Bytes(node.Map)).Distinct())}"
            );
    }

    /// <summary>
    /// What a reader sees when every write that counts is there: one counts unless a later one knew of it and does not
    /// have it.
    /// </summary>
    private static string Expected(List<StateEntry> writes) =>
        Seen(
            writes
                .GroupBy(write => write.Key)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new StateEntry(
                    "ns",
                    group.Key,
                    [
                        .. group
                            .SelectMany(write => write.Versions)
                            .DistinctBy(version => (version.Path, version.Dot))
                            .Where(version =>
                                !group.Any(other =>
                                    other.Context.Contains(version.Dot)
                                    && !other.Versions.Any(v => v.Path == version.Path && v.Dot == version.Dot)
                                )
                            )
                            .Order(Comparer<StateVersion>.Create(StateVersion.CompareByPlace)),
                    ],
                    VersionVector.Empty
                ))
                .Where(entry => entry.Versions.Length > 0)
        );

    private static string Seen(IEnumerable<StateEntry> entries) =>
        string.Join(
            '\n',
            entries
                .Where(entry => !entry.Deleted)
                .Select(entry => $"{entry.Key}={Encoding.UTF8.GetString(entry.Value.Span)}")
        );

    private static string Bytes(ReplicatedMap map) =>
        string.Join(
            '\n',
            map.All.Select(entry =>
                $"{entry.Key} {entry.Context} {string.Join(';', entry.Versions.Select(version => $"{version.Path} {version.Dot} {version.Time} {version.Deleted} {Encoding.UTF8.GetString(version.Value.Span)}"))}"
            )
        ) + map.Summary;

    private void Log(string line)
    {
        _history.Enqueue($"{_now - 1_000_000, 6} {line}");
        if (_history.Count > 60)
            _history.Dequeue();
    }

    private GossipViolationException Violation(string what) => new($"{what}\n{string.Join('\n', _history)}");
}
