using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>One round over all stores: asks each, counts what comes back, ends at the first verdict.</summary>
internal sealed class StoreCall<T>
{
    private readonly World _world;
    private readonly Func<T, bool> _isYes;
    private readonly Action<Verdict, IReadOnlyDictionary<int, T>> _done;
    private readonly Dictionary<int, T> _answers = [];
    private readonly Dictionary<int, bool?> _counted = [];
    private bool _over;

    public StoreCall(
        World world,
        SimNode node,
        Func<SimStore, T> act,
        Func<T, bool> isYes,
        Action<Verdict, IReadOnlyDictionary<int, T>> done
    )
    {
        (_world, _isYes, _done) = (world, isYes, done);
        foreach (var store in world.Stores)
            world.Send(node, store, act, answer => Answer(store.Id, answer), () => Fail(store.Id));
    }

    private void Answer(int store, T answer)
    {
        if (!_counted.TryAdd(store, _isYes(answer)))
            return;
        _answers[store] = answer;
        Count();
    }

    private void Fail(int store)
    {
        if (_counted.TryAdd(store, null))
            Count();
    }

    private void Count()
    {
        if (_over)
            return;
        var verdict = _world.Bug.Count(_counted.Values, _world.Stores.Count);
        if (verdict == Verdict.Open)
            return;
        _over = true;
        _done(verdict, _answers);
    }
}
