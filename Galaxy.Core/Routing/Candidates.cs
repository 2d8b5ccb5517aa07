namespace Galaxy.Core.Routing;

/// <summary>
/// Those among whom a strategy chooses, by id. What it looks at lies close together in memory: a choice among a thousand takes about a
/// microsecond and allocates nothing. Immutable but for the turn of the round robin; thread-safe.
/// </summary>
public sealed class Candidates
{
    private readonly TargetState[] _states;
    private readonly float[] _loads;
    private readonly float[] _perRequest;
    private readonly ulong[] _hashes;
    private int _turn;

    internal Candidates(IReadOnlyList<(RouteTarget Target, TargetState State)> entries, int firstTurn)
    {
        Targets = [.. entries.Select(entry => entry.Target)];
        _states = [.. entries.Select(entry => entry.State)];
        _loads = [.. entries.Select(entry => (float)entry.Target.Load)];
        _perRequest = [.. entries.Select(entry => 1f / Math.Max(1, entry.Target.Slots))];
        _hashes = [.. entries.Select(entry => entry.State.Hash)];
        _turn = firstTurn;
    }

    public IReadOnlyList<RouteTarget> Targets { get; }

    public int Count => _states.Length;

    public TargetState State(int index) => _states[index];

    /// <summary>What it says of itself, and what we have there now, in full loads.</summary>
    public float LoadAt(int index) => _loads[index] + (_states[index].InFlight * _perRequest[index]);

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
