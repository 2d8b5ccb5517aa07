using Galaxy.Core.Scheduling;

namespace Galaxy.Simulation.Tests.Tasks;

/// <summary>
/// A worker: runs each attempt once, keeps results until they are acknowledged, and obeys nobody who has been deposed.
/// </summary>
internal sealed class SimDevice(TaskWorld world, string name, TaskBug bug)
{
    private readonly HashSet<string> _seen = [];
    private readonly Dictionary<string, int> _running = [];
    private readonly Dictionary<string, bool> _results = [];
    private long _highestToken;
    private int _boot;

    public string Name => name;

    /// <summary>Whom it is connected to, and by which connection.</summary>
    public SimLeader? Leader { get; private set; }

    public int Connection { get; private set; }

    /// <summary>Connects to nobody before, in ms.</summary>
    public long AwayUntil { get; set; }

    public bool IsIdle => _running.Count == 0 && _results.Count == 0;

    public string Holds => string.Join(' ', _running.Keys.Concat(_results.Keys.Select(attempt => attempt + "!")));

    public BoardDevice Board { get; } =
        new(name)
        {
            Slots = world.Next(3) + 1,
            Capabilities = new Dictionary<string, int> { ["echo"] = 5 },
        };

    /// <summary>Attempts that it runs or has a result of.</summary>
    public IReadOnlyCollection<string> Attempts => [.. _running.Keys, .. _results.Keys];

    public void Connect(SimLeader leader)
    {
        Disconnect();
        Leader = leader;
        var connection = ++Connection;
        var attempts = Attempts;
        Tell(connection, () => leader.Join(this, connection, attempts));
        foreach (var (attempt, failed) in _results.ToList())
            SendResult(attempt, failed);
    }

    public void Disconnect()
    {
        if (Leader is not { } leader)
            return;
        var connection = Connection;
        Leader = null;
        Connection++;
        world.Later(5, () => leader.Leave(this, connection));
    }

    // In order, and only as long as the connection lasts.
    private void Tell(int connection, Action act) => world.InOrder((name, connection, "up"), () =>
        {
            if (Connection == connection)
                act();
        });

    /// <summary>By the leader; arrives later, or never.</summary>
    public void Receive(int connection, Action<SimDevice> act) => world.InOrder((name, connection, "down"), () =>
        {
            if (Connection == connection)
                act(this);
        });

    public void Task(string attempt, long token)
    {
        if (token < _highestToken)
            return;
        _highestToken = Math.Max(_highestToken, token);
        if (!_seen.Add(attempt))
            return;
        world.Executes(name, attempt, token);
        var boot = _boot;
        _running[attempt] = boot;
        world.Later(world.Next(6) == 0 ? 20_000 : world.Next(3000), () => Finish(attempt, boot));
    }

    private void Finish(string attempt, int boot)
    {
        if (boot != _boot || !_running.Remove(attempt))
            return;
        var failed = world.Next(8) == 0;
        _results[attempt] = failed;
        world.Finished(attempt);
        if (Leader is not null)
            SendResult(attempt, failed);
    }

    private void SendResult(string attempt, bool failed)
    {
        var (leader, connection) = (Leader!, Connection);
        if (bug == TaskBug.ResultSentOnce)
            _results.Remove(attempt);
        Tell(connection, () => leader.Result(this, attempt, failed));
    }

    public void Acknowledge(string attempt)
    {
        _results.Remove(attempt);
        world.Acknowledged(attempt);
    }

    public void Recall(string attempt)
    {
        if (_running.Remove(attempt) && Leader is not null)
        {
            _results[attempt] = true;
            SendResult(attempt, failed: true);
        }
    }

    /// <summary>Everything that it knew is gone.</summary>
    public void Crash()
    {
        Disconnect();
        _boot++;
        world.Forgotten(_results.Keys);
        _seen.Clear();
        _running.Clear();
        _results.Clear();
    }
}
