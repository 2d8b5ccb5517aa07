using System.Text;
using Galaxy.Core.Scheduling;

namespace Galaxy.Simulation.Tests.Tasks;

/// <summary>
/// A leader with the real board: gathers what is said, writes, then tells. Killed or deposed at any moment.
/// </summary>
internal sealed class SimLeader
{
    private readonly TaskWorld _world;
    private readonly TaskBug _bug;
    private readonly TaskBoard _board;
    private readonly Dictionary<string, (SimDevice Device, int Connection)> _connected = [];
    private readonly Queue<Action> _said = [];
    private readonly List<string> _submitted = [];
    private bool _writing;

    public SimLeader(TaskWorld world, TaskBug bug, long token)
    {
        (_world, _bug, Token) = (world, bug, token);
        _board = new TaskBoard(new Random(world.Next(1_000_000)), (_, after) =>
            new DateTimeOffset(after.Ticks - after.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero).AddMinutes(1)
        );
        foreach (var (spec, run) in world.Stored.Values.Where(task => !task.Run.State.IsOver()))
            _board.Load(spec, Remembered(run), world.Now);
        _board.Begin(world.Now);
    }

    public long Token { get; }

    /// <summary>Killed: nothing of it happens any more.</summary>
    public bool IsDead { get; set; }

    /// <summary>Another leads, and it may not know.</summary>
    public bool IsPaused { get; set; }

    public int Open => _board.Count;

    private TaskRun Remembered(TaskRun run) =>
        _bug switch
        {
            TaskBug.OutForgottenAtTakeOver when run.IsOut => run with
            {
                State = TaskState.Queued,
                AttemptId = null,
                DeviceId = null,
            },
            TaskBug.DependenciesForgottenAtTakeOver when run.WaitsFor.Count > 0 => run with
            {
                State = TaskState.Queued,
                WaitsFor = [],
            },
            _ => run,
        };

    public void Submit(IReadOnlyList<TaskSpec> specs) =>
        Say(() =>
        {
            _board.Submit(
                specs,
                id => _world.Stored.TryGetValue(id, out var task) && task.Run.State.IsOver() ? task.Run.State : null,
                _world.Now
            );
            _submitted.Add(specs[0].TaskId);
            if (_bug == TaskBug.AnswerBeforeWrite)
                _world.Answered(specs[0].TaskId);
        });

    public void Cancel(string taskId) => Say(() => _board.Cancel(taskId, "not wanted", _world.Now));

    public void Join(SimDevice device, int connection, IReadOnlyCollection<string> attempts) =>
        Say(() =>
        {
            _connected[device.Name] = (device, connection);
            _world.Reported(device.Name, Token, attempts);
            _board.Arrive(device.Board, _bug == TaskBug.AttemptsIgnored ? [] : attempts, _world.Now);
        });

    public void Leave(SimDevice device, int connection) =>
        Say(() =>
        {
            if (!_connected.TryGetValue(device.Name, out var known) || known.Connection != connection)
                return;
            _connected.Remove(device.Name);
            _board.Leave(device.Name, _world.Now);
        });

    public void Result(SimDevice device, string attempt, bool failed) =>
        Say(() =>
        {
            var taskId = TaskBoard.TaskOf(attempt);
            var counted =
                _bug == TaskBug.AnyAttemptCounts
                && _board.RunOf(taskId) is { AttemptId: { } present, DeviceId: { } holder }
                    ? (Attempt: present, Device: holder)
                    : (Attempt: attempt, Device: device.Name);
            _board.Result(
                counted.Device,
                taskId,
                counted.Attempt,
                failed,
                Encoding.UTF8.GetBytes(attempt),
                "broken",
                _world.Now
            );
        });

    private void Say(Action what)
    {
        if (IsDead)
            return;
        _said.Enqueue(what);
        Work();
    }

    /// <summary>One turn, unless one is on its way.</summary>
    public void Work()
    {
        if (IsDead || IsPaused || _writing)
            return;
        while (_said.TryDequeue(out var said))
            said();
        if (_bug != TaskBug.NoAlarms)
            _board.Tick(_world.Now);
        _board.Place(_world.Now);
        var turn = _board.Take();
        if (turn.IsEmpty)
            return;
        var answers = _submitted.ToList();
        _submitted.Clear();
        _writing = true;
        if (_bug == TaskBug.EffectsBeforeWrite)
            CarryOut(turn.Effects);
        Write(turn, answers);
    }

    private void Write(BoardTurn turn, List<string> answers) => _world.Later(1 + _world.Next(20), () =>
        {
            // The command is on its way, and arrives whatever becomes of its sender.
            var outcome = _world.Next(20) switch
            {
                0 => "unknown, done",
                1 => "unknown, not done",
                _ => "done",
            };
            var accepted = outcome == "unknown, not done" || _world.Write(Token, turn.Changes);
            _world.Later(1 + _world.Next(10), () =>
            {
                if (IsDead)
                    return;
                if (!accepted)
                {
                    _world.Depose(this);
                    return;
                }
                if (outcome != "done" && _bug != TaskBug.UnknownIsFailed)
                {
                    Write(turn, answers);
                    return;
                }
                answers.ForEach(_world.Answered);
                if (_bug != TaskBug.EffectsBeforeWrite)
                    CarryOut(turn.Effects);
                _writing = false;
                Work();
            });
        });

    private void CarryOut(IReadOnlyList<BoardEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case BoardEffect.Dispatch dispatch:
                    _world.Dispatched(dispatch.TaskId, dispatch.AttemptId, dispatch.DeviceId, Token);
                    if (!Tell(dispatch.DeviceId, device => device.Task(dispatch.AttemptId, Token)))
                        _said.Enqueue(() =>
                            _board.NotDelivered(dispatch.DeviceId, dispatch.TaskId, dispatch.AttemptId, _world.Now)
                        );
                    break;
                case BoardEffect.Recall recall:
                    Tell(recall.DeviceId, device => device.Recall(recall.AttemptId));
                    break;
                case BoardEffect.Acknowledge done:
                    Tell(done.DeviceId, device => device.Acknowledge(done.AttemptId));
                    break;
                case BoardEffect.KeepLate late:
                    Tell(late.DeviceId, device => device.Acknowledge(late.AttemptId));
                    break;
            }
        }
    }

    private bool Tell(string deviceId, Action<SimDevice> message)
    {
        if (!_connected.TryGetValue(deviceId, out var to))
            return false;
        to.Device.Receive(to.Connection, message);
        return true;
    }
}
