using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>What goes wrong, and when it is over.</summary>
internal sealed partial class World
{
    /// <summary>A store that is to forget its next grant forgets none when none comes in this time.</summary>
    public static readonly TimeSpan GrantPatience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<int, (TimeSpan Until, TimeSpan Down)> _forgetsNextGrant = [];
    private TimeSpan _flushAfterGrantUntil;
    private readonly SortedSet<long> _sent = [];

    public void Happen(Fault fault)
    {
        var node = Nodes[fault.Node % Nodes.Count];
        var peer = Nodes[fault.Other % Nodes.Count];
        var store = Stores[fault.Other % Stores.Count];
        switch (fault.Kind)
        {
            case FaultKind.Crash:
                Crash(node, fault.For);
                break;
            case FaultKind.Pause:
                node.PausedUntil = Now + fault.For;
                break;
            case FaultKind.Isolate:
                node.IsolatedUntil = Now + fault.For;
                break;
            case FaultKind.CutStore:
                Until(fault.For, _cutStores, (node.Id, store.Id));
                break;
            case FaultKind.CutPeer:
                Until(fault.For, _cutPeers, (node.Id, peer.Id));
                break;
            case FaultKind.Reset:
                Reset(node);
                break;
            case FaultKind.Reject when node != peer:
                Until(fault.For, _rejects, (node.Id, peer.Id));
                HangUp(node, peer.Boot);
                break;
            case FaultKind.HandOver:
                node.Deliver(node.Boot, new ElectionInput.Resign(Random.Next(3) == 0 ? null : peer.Name));
                break;
            case FaultKind.SetClock:
                node.WallOffset = TimeSpan.FromSeconds((Random.NextDouble() - 0.5) * 20);
                break;
            case FaultKind.StoreCrash or FaultKind.StoreLosesASecond or FaultKind.StoreRestartsEmpty when store.Runs:
                store.Stop();
                var lost =
                    fault.Kind == FaultKind.StoreLosesASecond
                        ? TimeSpan.FromSeconds(Random.NextDouble())
                        : TimeSpan.Zero;
                var crashed = Now;
                At(fault.For, () =>
                    store.Start(
                        fault.Kind == FaultKind.StoreRestartsEmpty,
                        lost > TimeSpan.Zero ? Now - crashed + lost : TimeSpan.Zero,
                        Now
                    )
                );
                break;
            case FaultKind.StoreLosesItsNextGrant when store.Runs:
                _forgetsNextGrant[store.Id] = (Now + GrantPatience, fault.For);
                break;
            case FaultKind.FlushAfterNextGrant:
                _flushAfterGrantUntil = Now + GrantPatience;
                break;
            case FaultKind.PowerCut:
                foreach (var each in Nodes)
                    Crash(each, fault.For * (1 + Random.NextDouble() / 10));
                if (store.Runs)
                {
                    store.Stop();
                    At(fault.For / 2, () => store.Start(empty: true, TimeSpan.Zero, Now));
                }
                break;
            case FaultKind.Flush:
                store.Flush(Now);
                break;
            case FaultKind.BadNetwork:
                _badNetwork = true;
                At(fault.For, () => _badNetwork = false);
                break;
        }
    }

    private void Granted(SimStore store)
    {
        if (Now < _flushAfterGrantUntil)
        {
            _flushAfterGrantUntil = TimeSpan.Zero;
            var past = _sent.Count > 0 ? _sent.Max : 0;
            At(TimeSpan.FromSeconds(Random.NextDouble()), () => store.Flush(Now));
            // A write that the leader before sent while it led, and that waited in a queue until now.
            if (past > 0)
                At(TimeSpan.FromSeconds(Random.NextDouble() * 2), () => WriteTo(store, past));
        }
        if (!_forgetsNextGrant.Remove(store.Id, out var armed) || Now > armed.Until)
            return;
        var down = armed.Down;
        // The answer is on its way; whoever asks now gets none.
        At(TimeSpan.FromMilliseconds(0.2), () =>
        {
            if (!store.Runs)
                return;
            store.Stop();
            At(down, () => store.Start(empty: false, lost: down + TimeSpan.FromMilliseconds(20), Now));
        });
    }

    private void Crash(SimNode node, TimeSpan down)
    {
        if (!node.Runs)
            return;
        var boot = node.Boot;
        node.Crash();
        foreach (var peer in Nodes.Where(peer => peer.Runs && peer.State.Leader?.Boot == boot && !Cut(peer, node)))
            HangUp(peer, boot);
        At(down, node.Start);
    }

    private void Reset(SimNode node)
    {
        foreach (var peer in Nodes.Where(peer => peer != node && peer.Runs))
            HangUp(peer, node.Boot);
    }

    private void Until<T>(TimeSpan duration, HashSet<T> set, T item)
    {
        set.Add(item);
        At(duration, () => set.Remove(item));
    }
}
