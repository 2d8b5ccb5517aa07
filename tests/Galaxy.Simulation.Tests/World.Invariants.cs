using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>What must hold after every event.</summary>
internal sealed partial class World
{
    private readonly Dictionary<long, string> _leaderOf = [];
    private readonly Dictionary<int, long> _granted = [];
    private long _highestLed;

    private void Check()
    {
        if (!Plan.BeliefIsExclusive)
            return;
        SimNode? leader = null;
        foreach (var node in Nodes)
        {
            if (!node.Leads)
                continue;
            if (leader is not null)
                throw Broken(
                    $"{leader.Name} (token {leader.State.Token}) and {node.Name} (token {node.State.Token}) both lead"
                );
            leader = node;
        }
    }

    private void CheckNewLeader(SimNode node, LeaseRecord lease)
    {
        if (_leaderOf.TryGetValue(lease.Token, out var boot) && boot != lease.Boot)
            throw Broken($"token {lease.Token} belongs to {boot} and to {lease.Boot}");
        _leaderOf[lease.Token] = lease.Boot;
        // One store that forgets may give the lease to another while an answer is still under way: then the fence
        // decides.
        if (Plan.BeliefIsExclusive && lease.Token <= _highestLed)
            throw Broken($"{node.Name} leads under token {lease.Token} after {_highestLed}");
        _highestLed = lease.Token;
    }

    private void CheckGrant(SimStore store, long token)
    {
        // One of several may forget what it gave out: the others do not, and a leader needs a majority.
        if (Stores.Count == 1 && token <= _granted.GetValueOrDefault(store.Id))
            throw Broken($"store {store.Id} gave out token {token} after {_granted[store.Id]}");
        _granted[store.Id] = Math.Max(_granted.GetValueOrDefault(store.Id), token);
    }

    private void CheckWrite(SimStore store, long token)
    {
        // Written by a leader of the past, though this very store has given the lease to another since.
        if (
            token < _granted.GetValueOrDefault(store.Id)
            && _leaderOf.Keys.Any(later => later > token && later <= _granted[store.Id])
        )
            throw Broken($"a write under token {token} was accepted after token {_granted[store.Id]} was given out");
    }

    private BrokenInvariantException Broken(string what) => new($"at {Now.TotalSeconds:0.000} s: {what}");
}
