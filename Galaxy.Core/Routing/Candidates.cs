namespace Galaxy.Core.Routing;

/// <summary>
/// The targets among which a strategy chooses, by id. The data that a choice reads lies close together in memory: a
/// choice among a thousand targets takes about a microsecond and allocates nothing. Immutable except for the position
/// of the round robin; thread-safe.
/// </summary>
public sealed class Candidates
{
    private readonly TargetState[] _states;
    private readonly float[] _loads;
    private readonly float[] _perRequest;
    private readonly ulong[] _hashes;
    private readonly int[] _byLoad;
    private readonly float[] _loadsByLoad;
    private readonly float[] _perRequestByLoad;
    private readonly TargetState[] _statesByLoad;

    // How many have the least load of all.
    private readonly int _leastLoaded;
    private int _turn;

    internal Candidates(IReadOnlyList<(RouteTarget Target, TargetState State)> entries, int firstTurn)
    {
        Targets = [.. entries.Select(entry => entry.Target)];
        _states = [.. entries.Select(entry => entry.State)];
        _loads = [.. entries.Select(entry => (float)entry.Target.Load)];
        _perRequest = [.. entries.Select(entry => 1f / Math.Max(1, entry.Target.Slots))];
        _hashes = [.. entries.Select(entry => entry.State.Hash)];
        _turn = firstTurn;
        _byLoad = [.. Enumerable.Range(0, entries.Count).OrderBy(index => _loads[index])];
        _loadsByLoad = [.. _byLoad.Select(index => _loads[index])];
        _perRequestByLoad = [.. _byLoad.Select(index => _perRequest[index])];
        _statesByLoad = [.. _byLoad.Select(index => _states[index])];
        _leastLoaded = _loadsByLoad.AsSpan().LastIndexOf(_loadsByLoad.Length > 0 ? _loadsByLoad[0] : 0) + 1;
    }

    public IReadOnlyList<RouteTarget> Targets { get; }

    public int Count => _states.Length;

    public TargetState State(int index) => _states[index];

    /// <summary>What it says of itself, and what we have there now, in full loads.</summary>
    public float LoadAt(int index) => _loads[index] + (_states[index].InFlight * _perRequest[index]);

    /// <summary>
    /// The index of the least loaded target, of equals any; -1: all are skipped. Requests in flight only add to the
    /// load that a target reports, so the search ends when no remaining target can be better.
    /// </summary>
    internal int LeastLoaded(ReadOnlySpan<int> skip, Random random)
    {
        var (least, chosen) = (float.PositiveInfinity, -1);
        // From a random place among equals, so that they take turns.
        var start = _leastLoaded > 0 ? random.Next(_leastLoaded) : 0;
        if (Search(start, _leastLoaded, skip, ref least, ref chosen) || Search(0, start, skip, ref least, ref chosen))
            return chosen;
        Search(_leastLoaded, _byLoad.Length, skip, ref least, ref chosen);
        return chosen;
    }

    /// <summary>True: no remaining target can be better.</summary>
    private bool Search(int from, int to, ReadOnlySpan<int> skip, ref float least, ref int chosen)
    {
        var loads = _loadsByLoad.AsSpan(from, to - from);
        var states = _statesByLoad.AsSpan(from, loads.Length);
        var perRequest = _perRequestByLoad.AsSpan(from, loads.Length);
        for (var i = 0; i < loads.Length; i++)
        {
            if (loads[i] >= least)
                return true;
            var inFlight = states[i].InFlight;
            var load = loads[i] + (inFlight * perRequest[i]);
            if (load >= least || skip.Contains(_byLoad[from + i]))
                continue;
            (least, chosen) = (load, _byLoad[from + i]);
            if (inFlight == 0)
                return true;
        }
        return false;
    }

    internal ReadOnlySpan<ulong> Hashes => _hashes;

    internal int NextTurn() => (int)((uint)Interlocked.Increment(ref _turn) % (uint)_states.Length);

    internal int IndexOf(string id)
    {
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i].Id == id)
                return i;
        }
        return -1;
    }
}
