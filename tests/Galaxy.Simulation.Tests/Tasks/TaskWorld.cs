using System.Text;
using Galaxy.Core.Scheduling;

namespace Galaxy.Simulation.Tests.Tasks;

internal sealed class TaskViolationException(string message) : Exception(message);

/// <summary>
/// Clients, a store with fencing tokens, workers, and leaders with the real <see cref="TaskBoard"/> that are killed and
/// paused at any moment, before and after each write. One thread, a virtual clock; everything follows from the seed.
/// After every write: what was recorded stays; after peace: all is done.
/// </summary>
internal sealed class TaskWorld
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random _random;
    private readonly TaskBug _bug;
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly Dictionary<(string, int, string), long> _lastOf = [];
    private readonly HashSet<string> _answered = [];
    private readonly Dictionary<string, (string Device, long Token)> _executed = [];
    private readonly Dictionary<(string Device, long Token), HashSet<string>> _reported = [];
    private readonly HashSet<string> _ended = [];
    private readonly HashSet<string> _finished = [];
    private readonly Queue<string> _history = new();
    private readonly List<SimDevice> _devices;
    private long _now;
    private long _order;
    private long _token;
    private int _tasks;
    private SimLeader? _leader;
    private bool _peace;

    public TaskWorld(int seed, TaskBug bug)
    {
        (_random, _bug) = (new Random(seed), bug);
        _devices = [.. Enumerable.Range(0, _random.Next(2, 6)).Select(i => new SimDevice(this, "d" + i, bug))];
    }

    public Dictionary<string, (TaskSpec Spec, TaskRun Run)> Stored { get; } = [];

    public DateTimeOffset Now => Start + TimeSpan.FromMilliseconds(_now);

    public int Next(int below) => _random.Next(below);

    public void Later(int milliseconds, Action act) => _events.Enqueue(act, (_now + milliseconds, _order++));

    /// <summary>Over one connection, in one direction: after what was said before.</summary>
    public void InOrder((string, int, string) connection, Action act)
    {
        var at = Math.Max(_lastOf.GetValueOrDefault(connection), _now + 1 + Next(Next(10) == 0 ? 500 : 10));
        _lastOf[connection] = at;
        _events.Enqueue(act, (at, _order++));
    }

    public void Run()
    {
        var chaos = 20_000 + Next(60_000);
        Lead();
        for (var at = 0; at < chaos; at += Next(600))
            Later(at, Submit);
        for (var at = 2000; at < chaos; at += 200 + Next(5000))
            Later(at, Happen);
        foreach (var device in _devices)
            Wander(device);
        Beat();
        RunUntil(chaos);
        _peace = true;
        Log("peace");
        if (_leader is null or { IsPaused: true })
            Lead();
        RunUntil(chaos + 600_000);
        MustBeDone();
    }

    private void RunUntil(long end)
    {
        while (_events.TryPeek(out _, out var at) && at.At <= end)
        {
            var act = _events.Dequeue();
            _now = at.At;
            act();
        }
        _now = end;
    }

    // The leader looks at its clock; devices find the one who leads.
    private void Beat()
    {
        _leader?.Work();
        foreach (var device in _devices)
        {
            if (
                _leader is { IsPaused: false } leader
                && device.Leader != leader
                && (_peace || _now >= device.AwayUntil && Next(3) > 0)
            )
                device.Connect(leader);
        }
        Later(100, Beat);
    }

    private void Wander(SimDevice device) => Later(1000 + Next(30_000), () =>
        {
            if (_peace)
                return;
            if (Next(3) == 0)
            {
                Log($"{device.Name} restarts");
                device.Crash();
            }
            else
            {
                device.AwayUntil = _now + (Next(2) == 0 ? Next(30_000) : 0);
                Log($"{device.Name} loses its connection until {device.AwayUntil}");
                device.Disconnect();
            }
            Wander(device);
        });

    private void Lead()
    {
        _token++;
        Log($"token {_token}: a new leader");
        _leader = new SimLeader(this, _bug, _token);
    }

    private void Happen()
    {
        if (_peace || _leader is not { } leader)
            return;
        if (Next(2) == 0)
        {
            Log($"the leader of {leader.Token} is killed");
            leader.IsDead = true;
            foreach (var device in _devices.Where(device => device.Leader == leader))
                device.Disconnect();
        }
        else
        {
            // It wakes later and goes on as if nothing had been.
            Log($"the leader of {leader.Token} is paused");
            leader.IsPaused = true;
            Later(1000 + Next(20_000), () =>
            {
                leader.IsPaused = false;
                leader.Work();
            });
        }
        _leader = null;
        Later(50 + Next(3000), () =>
        {
            if (_leader is null)
                Lead();
        });
    }

    /// <summary>The store has refused it.</summary>
    public void Depose(SimLeader leader)
    {
        Log($"the leader of {leader.Token} learns that it is none");
        leader.IsDead = true;
        foreach (var device in _devices.Where(device => device.Leader == leader))
            device.Disconnect();
    }

    private void Submit()
    {
        if (_peace || _leader is not { IsPaused: false } leader)
            return;
        var id = $"t{++_tasks}";
        var spec = new TaskSpec(id)
        {
            CreatedAt = Now,
            Priority = Next(10) + 1,
            Timeout = TimeSpan.FromSeconds(30),
            Strategy = (PlacementStrategy)Next(8),
            Needs = new DeviceNeeds
            {
                Capabilities = ["echo"],
                Devices = Next(6) == 0 ? [_devices[Next(_devices.Count)].Name] : [],
            },
            Dependencies =
                Next(5) == 0 && _answered.Count > 0
                    ? [new Dependency(_answered.ElementAt(Next(_answered.Count)), (DependencyCondition)Next(3))]
                    : [],
            Retry = RetryPolicy.Default with { MaxAttempts = 1 + Next(4) },
            NotBefore = Next(10) == 0 ? Now.AddSeconds(Next(20)) : null,
        };
        List<TaskSpec> specs = [spec];
        if (Next(10) == 0)
        {
            var parts = Enumerable
                .Range(0, 1 + Next(_devices.Count))
                .Select(i =>
                    spec with
                    {
                        TaskId = $"{id}-{i}",
                        ParentId = id,
                        NotBefore = null,
                        Dependencies = [],
                        Needs = new DeviceNeeds { Devices = Next(2) == 0 ? [_devices[i].Name] : [] },
                    }
                )
                .ToList();
            specs =
            [
                spec with
                {
                    Children = [.. parts.Select(part => part.TaskId)],
                    IsGang = Next(2) == 0,
                    NotBefore = null,
                    Dependencies = [],
                },
                .. parts,
            ];
        }
        leader.Submit(specs);
        if (Next(20) == 0)
            Later(Next(5000), () => _leader?.Cancel(id));
    }

    // What must hold, whatever happens.

    /// <summary>False: the token is too old.</summary>
    public bool Write(long token, IReadOnlyList<BoardChange> changes)
    {
        if (token < _token && _bug != TaskBug.UnfencedWrites)
            return false;
        foreach (var (spec, run, _, _) in changes)
        {
            if (Stored.TryGetValue(spec.TaskId, out var before) && before.Run.State.IsOver())
                Must(
                    before.Run.State == run.State
                        && before.Run.AttemptId == run.AttemptId
                        && before.Run.Result.Span.SequenceEqual(run.Result.Span),
                    $"{spec.TaskId} was over and is recorded again"
                );
            if (run is { State: TaskState.Completed } && spec.Children.Count == 0)
                Must(
                    Encoding.UTF8.GetString(run.Result.Span) == run.AttemptId,
                    $"{spec.TaskId}: {run.AttemptId} is recorded with the result of "
                        + $"{Encoding.UTF8.GetString(run.Result.Span)}"
                );
            Stored[spec.TaskId] = (spec, run);
        }
        foreach (
            var gang in changes
                .Where(change => change.Run is { IsOut: true, Attempts: 1 } && change.Spec.ParentId is not null)
                .Select(change => change.Spec.ParentId!)
                .Distinct()
        )
        {
            var parts = Stored[gang].Spec.Children.Select(id => Stored[id].Run).ToList();
            Must(
                !Stored[gang].Spec.IsGang || parts.TrueForAll(part => part.Attempts > 0 || part.State.IsOver()),
                $"the gang {gang} starts in parts"
            );
        }
        return true;
    }

    public void Answered(string taskId)
    {
        _answered.Add(taskId);
    }

    public void Dispatched(string taskId, string attempt, string device, long token)
    {
        if (!Stored.TryGetValue(taskId, out var task))
            return;
        foreach (var dependency in task.Spec.Dependencies)
            Must(
                Stored.TryGetValue(dependency.TaskId, out var other) && dependency.IsMetBy(other.Run.State),
                $"{attempt} begins before {dependency.TaskId} has ended as it should"
            );
        var number = int.Parse(
            attempt[(attempt.LastIndexOf('.') + 1)..],
            System.Globalization.CultureInfo.InvariantCulture
        );
        var earlier = $"{taskId}.{number - 1}";
        foreach (var ((name, under), attempts) in _reported)
        {
            if (
                under == token
                && attempts.Contains(earlier)
                && _devices.First(one => one.Name == name) is { Leader: { } leader } holder
                && leader.Token == token
                && holder.Attempts.Contains(earlier)
                && holder.Leader.Token == _token
            )
                Must(_ended.Contains(earlier), $"{attempt} begins while {name} has told that it works on {earlier}");
        }
    }

    /// <summary>A device has told this leader what it has.</summary>
    public void Reported(string device, long token, IReadOnlyCollection<string> attempts)
    {
        var live = attempts
            .Where(attempt =>
                Stored.TryGetValue(TaskBoard.TaskOf(attempt), out var task)
                && task.Run is { IsOut: true } run
                && run.AttemptId == attempt
                && run.StartedAt + TimeSpan.FromSeconds(25) > Now
            )
            .ToHashSet();
        _reported[(device, token)] = live;
        // It may fail, or take too long, and then another begins by right: only the first second counts.
        Later(1000, () => _reported.Remove((device, token)));
    }

    /// <summary>Work that is done; only a crash of the device may lose it.</summary>
    public void Finished(string attempt) => _finished.Add(attempt);

    public void Forgotten(IEnumerable<string> attempts) => _finished.ExceptWith(attempts);

    public void Executes(string device, string attempt, long token)
    {
        Must(
            _executed.TryAdd(attempt, (device, token)),
            $"{attempt} is executed on {device} under {token}, and was on {_executed[attempt]}"
        );
        Must(
            Stored.TryGetValue(TaskBoard.TaskOf(attempt), out var task) && task.Run.Attempts > 0,
            $"{attempt} is executed and the store does not know of it"
        );
    }

    public void Acknowledged(string attempt)
    {
        _ended.Add(attempt);
        Must(
            Stored.TryGetValue(TaskBoard.TaskOf(attempt), out var task),
            $"{attempt} is acknowledged and its task is not stored"
        );
        Must(task.Run.State.IsOver() || task.Run.AttemptId != attempt, $"{attempt} is acknowledged and not recorded");
    }

    private void MustBeDone()
    {
        foreach (var id in _answered)
            Must(Stored.ContainsKey(id), $"{id} was answered with success and is lost");
        foreach (var (spec, run) in Stored.Values)
            Must(run.State.IsOver(), $"{spec.TaskId} is {run.State} ten minutes after everything is well: {run}");
        Must(_leader!.Open == 0, "the leader has open tasks that the store does not");
        foreach (var attempt in _finished)
            Must(_ended.Contains(attempt), $"the result of {attempt} was never taken");
        foreach (var device in _devices)
            Must(device.IsIdle, $"{device.Name} still has {device.Holds}");
    }

    private void Must(bool holds, string what)
    {
        if (!holds)
            throw new TaskViolationException($"{_now} ms: {what}\n{string.Join('\n', _history)}");
    }

    private void Log(string what)
    {
        _history.Enqueue($"{_now} ms: {what}");
        if (_history.Count > 40)
            _history.Dequeue();
    }
}
