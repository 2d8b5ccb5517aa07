using Galaxy.Core.Election;

namespace Galaxy.Simulation.Tests;

/// <summary>A store's process: its register, and what is on its disk when it crashes.</summary>
internal sealed class SimStore(int id)
{
    private readonly List<(TimeSpan At, LeaseRegister Register)> _history = [];
    private int _runs = 1;

    public int Id => id;

    public bool Runs { get; private set; } = true;

    /// <summary>Connections end with the process: a message to an older run arrives nowhere.</summary>
    public int Run => _runs;

    public LeaseRegister Register { get; private set; } = new() { Run = $"store{id}-1" };

    public void Set(LeaseRegister register, TimeSpan now)
    {
        if (ReferenceEquals(register, Register))
            return;
        _history.Add((now, Register));
        if (_history.Count > 200)
            _history.RemoveRange(0, 100);
        Register = register;
    }

    public void Stop() => Runs = false;

    public void Start(bool empty, TimeSpan lost, TimeSpan now)
    {
        _runs++;
        var run = $"store{id}-{_runs}";
        var kept = _history
            .Where(entry => entry.At >= now - lost)
            .Select(entry => entry.Register)
            .FirstOrDefault(Register);
        Set(empty ? new LeaseRegister { Run = run } : kept with { Run = run }, now);
        Runs = true;
    }

    public void Flush(TimeSpan now) => Set(new LeaseRegister { Run = Register.Run }, now);
}
