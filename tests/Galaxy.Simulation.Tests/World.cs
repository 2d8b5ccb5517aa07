using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>An invariant does not hold.</summary>
internal sealed class BrokenInvariantException(string message) : Exception(message);

/// <summary>
/// Nodes, stores and the network between them in one thread under a virtual clock. Nodes run the production election,
/// stores the specification of the scripts. Everything random comes from the seed, so a run repeats exactly.
/// </summary>
internal sealed partial class World
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromMilliseconds(500);

    private readonly PriorityQueue<Action, (TimeSpan At, int Order)> _events = new();
    private readonly HashSet<(int Node, int Store)> _cutStores = [];
    private readonly HashSet<(int Node, int Peer)> _cutPeers = [];
    private readonly HashSet<(int Node, int Peer)> _rejects = [];
    private int _order;
    private bool _badNetwork;
    private bool _healed;

    public World(Plan plan, Bug bug)
    {
        (Plan, Bug, Random) = (plan, bug, Plan.RandomOf(plan.Seed));
        Order = [.. Enumerable.Range(0, plan.Nodes).Select(i => $"{(char)('a' + i)}")];
        Stores = [.. Enumerable.Range(0, plan.Stores).Select(i => new SimStore(i))];
        Nodes =
        [
            .. Enumerable
                .Range(0, plan.Nodes)
                .Select(i => new SimNode(this, i, plan.Calm ? 1 : 0.9 + 0.2 * Random.NextDouble())),
        ];
        foreach (var node in Nodes)
            Gossip(node);
        foreach (var fault in plan.Faults)
            At(fault.At, () => Happen(fault));
    }

    public Plan Plan { get; }

    public Bug Bug { get; }

    public Random Random { get; }

    public LeaseSettings Settings { get; } = LeaseSettings.Lan;

    public IReadOnlyList<string> Order { get; }

    public IReadOnlyList<SimStore> Stores { get; }

    public IReadOnlyList<SimNode> Nodes { get; } = [];

    public TimeSpan Now { get; private set; }

    /// <summary>What a story prints.</summary>
    public Action<string>? Log { get; set; }

    public void At(TimeSpan delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    public void Run(TimeSpan until)
    {
        while (_events.TryPeek(out _, out var next) && next.At <= until)
        {
            var happens = _events.Dequeue();
            Now = next.At;
            happens();
            Check();
        }
        Now = until;
    }

    /// <summary>Ends all trouble that has no end of its own.</summary>
    public void Heal()
    {
        _cutStores.Clear();
        _cutPeers.Clear();
        _rejects.Clear();
        _badNetwork = false;
        _healed = true;
    }

    private bool Lost() => !Plan.Calm && !_healed && Random.NextDouble() < (_badNetwork ? 0.2 : 0.002);

    private TimeSpan Delay() =>
        TimeSpan.FromMilliseconds(
            Plan.Calm ? 1
            : _badNetwork && Random.Next(4) == 0 ? Random.Next(4000)
            : 0.3 + Random.NextDouble() * 3
        );

    // Now and then a request or an answer waits in some queue, and arrives when its sender leads no more.
    private TimeSpan StoreDelay() =>
        !Plan.Calm && !_healed && Random.Next(Plan.SlowStores ? 15 : 150) == 0
            ? TimeSpan.FromMilliseconds(Random.Next(3000))
            : Delay();

    private bool Cut(SimNode node, SimStore store) =>
        Now < node.IsolatedUntil || _cutStores.Contains((node.Id, store.Id));

    private bool Cut(SimNode node, SimNode peer) =>
        Now < node.IsolatedUntil
        || Now < peer.IsolatedUntil
        || _cutPeers.Contains((node.Id, peer.Id))
        || _cutPeers.Contains((peer.Id, node.Id));

    /// <summary>
    /// Carries a request to a store and its answer back. A request that does not arrive fails when its time is up.
    /// </summary>
    public void Send<T>(SimNode node, SimStore store, Func<SimStore, T> act, Action<T> answered, Action failed)
    {
        var (boot, run) = (node.Boot, store.Run);
        At(Settings.StoreTimeout, () => Back(failed));
        if (Lost() || !store.Runs || Cut(node, store))
            return;
        At(StoreDelay(), () =>
        {
            if (!store.Runs || store.Run != run || Cut(node, store))
                return;
            var answer = act(store);
            // The store did it, though the answer may never come.
            if (!Lost())
                At(StoreDelay(), () => Back(() => answered(answer)));
        });

        // A node that stands still reads its answers later.
        void Back(Action action)
        {
            if (!node.Runs || node.Boot != boot)
                return;
            if (node.Stands)
                At(node.PausedUntil - Now, () => Back(action));
            else
                action();
        }
    }

    /// <summary>The store's channel: fast, and nothing is promised.</summary>
    private void Publish(SimStore store, ElectionInput input)
    {
        foreach (var node in Nodes)
        {
            if (Lost() || Cut(node, store))
                continue;
            var boot = node.Boot;
            At(Delay(), () => node.Deliver(boot, input));
        }
    }

    /// <summary>
    /// A node that starts stands only after it has heard from every other node, or has waited for that in vain.
    /// </summary>
    public void Join(SimNode node, Action joined)
    {
        var boot = node.Boot;
        var waitsFor = new HashSet<string>(Order.Where(name => name != node.Name));
        At(JoinPatience, Done);
        // The other nodes of a world that is being made are not there yet.
        At(TimeSpan.Zero, () =>
        {
            foreach (var peer in Nodes.Where(peer => peer != node))
                Ask(node, peer, () => peer.State.MaxToken, token => Heard(peer, token));
        });

        void Heard(SimNode peer, long token)
        {
            node.Deliver(boot, new ElectionInput.TokenSeen(token));
            if (waitsFor.Remove(peer.Name) && waitsFor.Count == 0)
                Done();
        }

        void Done()
        {
            if (joined is not { } first || !node.Runs || node.Boot != boot)
                return;
            joined = null!;
            first();
        }
    }

    /// <summary>A question from node to node, which may get no answer.</summary>
    private void Ask<T>(SimNode node, SimNode peer, Func<T> question, Action<T> answered)
    {
        if (Lost() || Cut(node, peer))
            return;
        At(Delay(), () =>
        {
            if (!peer.Runs || peer.Stands || Lost() || Cut(node, peer))
                return;
            var answer = question();
            At(Delay(), () => answered(answer));
        });
    }

    private void Gossip(SimNode node)
    {
        At(TimeSpan.FromSeconds(0.5 + Random.NextDouble()), () =>
        {
            if (node is { Runs: true, Stands: false })
            {
                foreach (var peer in Nodes)
                {
                    if (peer == node || Lost() || Cut(node, peer))
                        continue;
                    var (boot, token) = (peer.Boot, node.State.MaxToken);
                    At(Delay(), () => peer.Deliver(boot, new ElectionInput.TokenSeen(token)));
                }
            }
            Gossip(node);
        });
    }
}
