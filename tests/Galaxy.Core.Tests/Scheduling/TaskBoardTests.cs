using System.Text;
using Galaxy.Core.Scheduling;

namespace Galaxy.Core.Tests.Scheduling;

public class TaskBoardTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TaskBoard _board = new(new Random(1), (cron, after) =>
        cron == "never"
            ? null
            : new DateTimeOffset(after.Ticks - after.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero).AddMinutes(1)
    );
    private readonly Dictionary<string, TaskRun> _stored = [];
    private DateTimeOffset _now = Start;

    private static BoardDevice Device(
        string id,
        int slots = 1,
        string type = "linux",
        Resources? room = null,
        params string[] capabilities
    ) =>
        new(id)
        {
            Slots = slots,
            Type = type,
            Room = room,
            Capabilities = capabilities.Append("echo").ToDictionary(name => name, _ => 5),
        };

    private TaskSpec Spec(string id, int priority = 5) =>
        new(id)
        {
            Priority = priority,
            CreatedAt = _now,
            Needs = new DeviceNeeds { Capabilities = ["echo"] },
        };

    private void Submit(params TaskSpec[] specs) => _board.Submit(specs, _ => null, _now);

    private List<BoardEffect> Turn(double seconds = 0)
    {
        _now += TimeSpan.FromSeconds(seconds);
        _board.Tick(_now);
        _board.Place(_now);
        var turn = _board.Take();
        foreach (var change in turn.Changes)
            _stored[change.Spec.TaskId] = change.Run;
        return [.. turn.Effects];
    }

    private string[] Dispatched(double seconds = 0) =>
        [.. Turn(seconds).OfType<BoardEffect.Dispatch>().Select(one => $"{one.AttemptId}@{one.DeviceId}")];

    private void Result(string device, string attempt, bool failed = false, string error = "broken") =>
        _board.Result(device, TaskBoard.TaskOf(attempt), attempt, failed, Encoding.UTF8.GetBytes("{}"), error, _now);

    [Fact]
    public void A_task_is_given_to_a_device_that_can_and_ends_with_its_result()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t"));

        Assert.Equal(["t.1@a"], Dispatched());
        Assert.Equal(TaskState.Assigned, _stored["t"].State);

        Result("a", "t.1");
        Assert.Equal([new BoardEffect.Acknowledge("t", "t.1", "a")], Turn());
        Assert.Equal(
            (TaskState.Completed, "{}", 0),
            (_stored["t"].State, Encoding.UTF8.GetString(_stored["t"].Result.Span), _board.Count)
        );
    }

    [Fact]
    public void The_urgent_go_first_and_what_has_waited_long_is_not_passed_for_ever()
    {
        Submit(Spec("patient", 1));
        _now += TimeSpan.FromMinutes(5);
        Submit(Spec("urgent", 10), Spec("usual"));
        _board.Arrive(Device("a"), [], _now);

        List<string> order = [];
        for (var i = 0; i < 3; i++)
        {
            order.AddRange(Dispatched());
            Result("a", order[^1].Split('@')[0]);
        }

        // Nine steps of 30 s are 270 s; it has waited 300.
        Assert.Equal(["patient.1@a", "urgent.1@a", "usual.1@a"], order);
    }

    [Fact]
    public void A_device_gets_no_more_than_it_has_slots_and_room_for()
    {
        _board.Arrive(Device("a", slots: 3, room: new Resources(100, 1000, 0)), [], _now);
        var heavy = Spec("heavy") with { Needs = new DeviceNeeds { Resources = new Resources(0, 700, 0) } };
        Submit(heavy, heavy with { TaskId = "heavier" }, Spec("light"));

        Assert.Equal(["heavy.1@a", "light.1@a"], Dispatched());
        Result("a", "heavy.1");
        Assert.Equal(["heavier.1@a"], Dispatched());
    }

    [Fact]
    public void A_failure_is_tried_again_after_growing_waits_and_then_it_is_final()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t"));
        Assert.Equal(["t.1@a"], Dispatched());
        Result("a", "t.1", failed: true);
        Assert.Empty(Dispatched(0.9));
        Assert.Equal(["t.2@a"], Dispatched(0.2));
        Result("a", "t.2", failed: true);
        Assert.Empty(Dispatched(1.9));
        Assert.Equal(["t.3@a"], Dispatched(0.2));
        Result("a", "t.3", failed: true, error: "still broken");
        Turn();

        Assert.Equal(
            (TaskState.Failed, "still broken", 2),
            (_stored["t"].State, _stored["t"].Error, _stored["t"].History.Count)
        );
    }

    [Fact]
    public void Only_the_errors_that_were_named_are_worth_another_attempt()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t") with { Retry = RetryPolicy.Default with { RetryOn = ["network"] } });
        Dispatched();
        Result("a", "t.1", failed: true, error: "no such file");
        Turn();

        Assert.Equal(TaskState.Failed, _stored["t"].State);
    }

    [Fact]
    public void An_attempt_that_takes_too_long_is_recalled()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(
            Spec("t") with
            {
                Timeout = TimeSpan.FromSeconds(5),
                Retry = RetryPolicy.Default with { MaxAttempts = 1 },
            }
        );
        Dispatched();

        Assert.Equal([new BoardEffect.Recall("t", "t.1", "a")], Turn(5.1));
        Assert.Equal(TaskState.Timeout, _stored["t"].State);
    }

    [Fact]
    public void A_device_that_comes_back_in_time_keeps_its_attempt()
    {
        _board.Arrive(Device("a"), [], _now);
        _board.Arrive(Device("b"), [], _now);
        Submit(Spec("t") with { Needs = new DeviceNeeds { Devices = ["a"] } });
        Dispatched();
        _board.Leave("a", _now);
        Assert.Empty(Turn(9));
        _board.Arrive(Device("a"), ["t.1"], _now);
        Assert.Empty(Turn(9));
        Result("a", "t.1");
        Turn();

        Assert.Equal((TaskState.Completed, 1), (_stored["t"].State, _stored["t"].Attempts));
    }

    [Fact]
    public void A_device_that_comes_back_late_goes_on_when_nobody_has_begun_again()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t"));
        Dispatched();
        _board.Leave("a", _now);
        Turn(11);
        Assert.Equal(TaskState.Retrying, _stored["t"].State);

        _board.Arrive(Device("a"), ["t.1"], _now);
        Assert.Empty(Turn());
        Result("a", "t.1");
        Turn();

        Assert.Equal(
            (TaskState.Completed, "t.1", 1),
            (_stored["t"].State, _stored["t"].AttemptId, _stored["t"].Attempts)
        );
    }

    [Fact]
    public void A_late_result_of_an_attempt_that_another_has_replaced_is_kept_beside()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t"));
        Dispatched();
        _board.Leave("a", _now);
        _board.Arrive(Device("b"), [], _now);
        Assert.Equal(["t.2@b"], Dispatched(11));

        _board.Arrive(Device("a"), ["t.1"], _now);
        Assert.Equal([new BoardEffect.Recall("t", "t.1", "a")], Turn());
        Result("a", "t.1");
        Assert.IsType<BoardEffect.KeepLate>(Assert.Single(Turn()));
        Assert.Equal(TaskState.Assigned, _board.RunOf("t")!.State);
    }

    [Fact]
    public void Nobody_ends_the_attempt_of_another()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t"));
        Dispatched();

        _board.Result("b", "t", "t.1", false, default, "", _now);
        _board.Result("b", "t", "", false, default, "", _now);
        Assert.False(_board.Progress("b", "t", "t.1", 0.5));
        Assert.All(Turn(), effect => Assert.IsType<BoardEffect.KeepLate>(effect));
        Assert.Equal(TaskState.Assigned, _board.RunOf("t")!.State);
    }

    [Fact]
    public void Dependents_wait_and_are_cancelled_when_what_they_wait_for_can_not_come()
    {
        _board.Arrive(Device("a", slots: 9), [], _now);
        Submit(
            Spec("first") with
            {
                Retry = RetryPolicy.Default with { MaxAttempts = 1 },
            },
            Spec("then") with
            {
                Dependencies = [new Dependency("first", DependencyCondition.Success)],
            },
            Spec("otherwise") with
            {
                Dependencies = [new Dependency("first", DependencyCondition.Failure)],
            },
            Spec("anyway") with
            {
                Dependencies = [new Dependency("first", DependencyCondition.Completed)],
            }
        );

        Assert.Equal(["first.1@a"], Dispatched());
        Result("a", "first.1", failed: true);
        Assert.Equal(["anyway.1@a", "otherwise.1@a"], Dispatched().Order());
        Assert.Equal(TaskState.Cancelled, _stored["then"].State);
    }

    [Fact]
    public void A_dependency_may_take_only_so_long()
    {
        Submit(
            Spec("first"),
            Spec("then") with
            {
                Dependencies = [new Dependency("first", DependencyCondition.Success, TimeSpan.FromSeconds(3))],
            }
        );
        Turn(3.1);

        Assert.Equal(TaskState.Failed, _stored["then"].State);
    }

    [Fact]
    public void A_chain_of_ten_thousand_ends_without_recursion()
    {
        Submit([
            .. Enumerable
                .Range(0, 10_000)
                .Select(i =>
                    i == 0
                        ? Spec("0")
                        : Spec($"{i}") with
                        {
                            Dependencies = [new Dependency($"{i - 1}", DependencyCondition.Success)],
                        }
                ),
        ]);
        _board.Cancel("0", "not wanted", _now);
        Turn();

        Assert.Equal(0, _board.Count);
    }

    private TaskSpec[] Gang(params string[] devices) =>
        [
            Spec("gang") with
            {
                Children = [.. devices.Select((_, i) => $"gang-{i}")],
                IsGang = true,
            },
            .. devices.Select(
                (device, i) =>
                    Spec($"gang-{i}") with
                    {
                        ParentId = "gang",
                        Needs = new DeviceNeeds { Devices = device.Length > 0 ? [device] : [] },
                    }
            ),
        ];

    [Fact]
    public void A_gang_starts_together_or_not_at_all()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Gang("a", "b"));
        Assert.Empty(Dispatched());

        _board.Arrive(Device("b"), [], _now);
        Assert.Equal(["gang-0.1@a", "gang-1.1@b"], Dispatched());
        Assert.Equal(TaskState.Running, _stored["gang"].State);
        Result("a", "gang-0.1");
        Result("b", "gang-1.1");
        Turn();
        Assert.Equal(TaskState.Completed, _stored["gang"].State);
    }

    [Fact]
    public void A_gang_finds_the_only_way_to_fit()
    {
        // Whoever takes any device must leave b to the one who needs b.
        _board.Arrive(Device("a"), [], _now);
        _board.Arrive(Device("b"), [], _now);
        Submit(Gang("", "a"));

        Assert.Equal(["gang-0.1@b", "gang-1.1@a"], Dispatched());
    }

    [Fact]
    public void A_gang_is_not_starved_by_small_tasks()
    {
        _board.Arrive(Device("a"), [], _now);
        _board.Arrive(Device("b"), [], _now);
        Submit(Spec("s0"));
        Submit(Spec("s1"));
        var running = Dispatched().ToList();
        Submit(Gang("a", "b"));
        var started = false;
        // A device becomes free every second, never both; small tasks of higher priority keep coming.
        for (var i = 2; i < 60 && !started; i++)
        {
            Submit(Spec($"s{i}", 10));
            var done = running.First(one => one.StartsWith('s'));
            running.Remove(done);
            Result(done.Split('@')[1], done.Split('@')[0]);
            running.AddRange(Dispatched(1));
            started = running.Any(one => one.StartsWith("gang", StringComparison.Ordinal));
            if (running.Count == 0)
                running.AddRange(Dispatched(10));
        }
        Assert.True(started);
    }

    [Fact]
    public void A_gang_that_can_never_start_keeps_nothing_from_others()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Gang("a", "nobody"));
        Turn(60);
        Submit(Spec("t"));

        Assert.Equal(["t.1@a"], Dispatched());
    }

    [Fact]
    public void Two_gangs_that_want_the_same_devices_both_run()
    {
        _board.Arrive(Device("a"), [], _now);
        _board.Arrive(Device("b"), [], _now);
        Submit(Gang("a", "b"));
        var other = Gang("b", "a")
            .Select(spec =>
                spec with
                {
                    TaskId = "o" + spec.TaskId,
                    ParentId = spec.ParentId is null ? null : "o" + spec.ParentId,
                    Children = [.. spec.Children.Select(id => "o" + id)],
                }
            )
            .ToArray();
        Submit(other);

        Assert.Equal(["gang-0.1@a", "gang-1.1@b"], Dispatched());
        Result("a", "gang-0.1");
        Assert.Empty(Dispatched());
        Result("b", "gang-1.1");
        Assert.Equal(["ogang-0.1@b", "ogang-1.1@a"], Dispatched());
    }

    [Fact]
    public void A_template_makes_a_copy_each_time_and_none_while_the_last_is_at_work()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("cron") with { Cron = "* * * * *" });
        Assert.Empty(Dispatched(59));
        Assert.Equal(["cron-20260101000100.1@a"], Dispatched(1));
        Assert.Equal(TaskState.Scheduled, _stored["cron"].State);
        Assert.Empty(Dispatched(60));
        Result("a", "cron-20260101000100.1");
        Turn();
        Assert.Equal(["cron-20260101000300.1@a"], Dispatched(60));
    }

    [Fact]
    public void A_copy_is_made_once_whoever_leads()
    {
        Submit(Spec("cron") with { Cron = "* * * * *" });
        Turn(60);
        var again = new TaskBoard(new Random(2), (_, after) => after.AddMinutes(1));
        again.Load(_board.SpecOf("cron")!, _stored["cron"], _now);
        again.Load(_board.SpecOf("cron-20260101000100")!, _stored["cron-20260101000100"], _now);
        again.Begin(_now);

        Assert.Equal(2, again.Count);
    }

    [Fact]
    public void A_task_waits_for_its_time()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t") with { NotBefore = _now.AddSeconds(30) });
        Assert.Empty(Dispatched(29));
        Assert.Equal(["t.1@a"], Dispatched(1));
    }

    [Fact]
    public void A_held_task_waits_for_its_release()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(Spec("t") with { IsHeld = true });
        Assert.Empty(Dispatched(1000));
        Assert.True(_board.Release("t", _now));
        Assert.Equal(["t.1@a"], Dispatched());
        Assert.False(_board.Release("t", _now));
    }

    [Fact]
    public void Cancelling_a_whole_cancels_its_parts_and_recalls_what_is_out()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(
            Spec("all") with
            {
                Children = ["p1", "p2"],
            },
            Spec("p1") with
            {
                ParentId = "all",
            },
            Spec("p2") with
            {
                ParentId = "all",
            }
        );
        Dispatched();
        Assert.True(_board.Cancel("all", "not wanted", _now));

        Assert.Equal([new BoardEffect.Recall("p1", "p1.1", "a")], Turn());
        Assert.All(_stored.Values, run => Assert.Equal(TaskState.Cancelled, run.State));
        Assert.False(_board.Cancel("all", "again", _now));
    }

    [Fact]
    public void What_is_stored_is_enough_to_go_on_from()
    {
        _board.Arrive(Device("a"), [], _now);
        Submit(
            Spec("out"),
            Spec("waits"),
            Spec("depends") with
            {
                Dependencies = [new Dependency("out", DependencyCondition.Success)],
            }
        );
        Dispatched();
        var next = new TaskBoard(new Random(2), (_, _) => null);
        foreach (var id in _board.TaskIds)
            next.Load(_board.SpecOf(id)!, _stored[id], _now);
        next.Begin(_now);
        next.Arrive(Device("a", slots: 3), ["out.1"], _now);
        next.Place(_now);
        Assert.Equal(["waits.1"], next.Take().Effects.OfType<BoardEffect.Dispatch>().Select(one => one.AttemptId));
        next.Result("a", "out", "out.1", false, default, "", _now);
        next.Place(_now);
        Assert.Equal(["depends.1"], next.Take().Effects.OfType<BoardEffect.Dispatch>().Select(one => one.AttemptId));
    }

    [Theory]
    [InlineData(PlacementStrategy.Priority, "b")]
    [InlineData(PlacementStrategy.Capability, "c")]
    [InlineData(PlacementStrategy.Location, "a")]
    public void A_strategy_chooses(PlacementStrategy strategy, string chosen)
    {
        _board.Arrive(
            new BoardDevice("a")
            {
                Capabilities = new Dictionary<string, int> { ["echo"] = 1, ["x"] = 1 },
                Location = "home/attic/desk",
            },
            [],
            _now
        );
        _board.Arrive(
            new BoardDevice("b")
            {
                Capabilities = new Dictionary<string, int>
                {
                    ["echo"] = 9,
                    ["y"] = 1,
                    ["z"] = 1,
                },
                Location = "home",
            },
            [],
            _now
        );
        _board.Arrive(
            new BoardDevice("c")
            {
                Capabilities = new Dictionary<string, int> { ["echo"] = 5 },
                Location = "office",
            },
            [],
            _now
        );
        Submit(
            Spec("t") with
            {
                Strategy = strategy,
                Needs = new DeviceNeeds { Capabilities = ["echo"], Location = "home/attic" },
            }
        );

        Assert.Equal([$"t.1@{chosen}"], Dispatched());
    }

    [Fact]
    public void Fair_gives_in_proportion_to_weight()
    {
        _board.Arrive(new BoardDevice("big") { Weight = 3, Slots = 100 }, [], _now);
        _board.Arrive(new BoardDevice("small") { Weight = 1, Slots = 100 }, [], _now);
        Submit([
            .. Enumerable
                .Range(0, 40)
                .Select(i => new TaskSpec($"t{i}") { Strategy = PlacementStrategy.Fair, CreatedAt = _now }),
        ]);

        Assert.InRange(Dispatched().Count(one => one.EndsWith("@big", StringComparison.Ordinal)), 29, 31);
    }

    [Fact]
    public void Round_robin_and_least_loaded_spread_and_preferred_devices_come_first()
    {
        foreach (var id in (string[])["a", "b", "c", "d"])
            _board.Arrive(Device(id, slots: 100), [], _now);
        foreach (var strategy in (PlacementStrategy[])[PlacementStrategy.RoundRobin, PlacementStrategy.LeastLoaded])
        {
            Submit([.. Enumerable.Range(0, 40).Select(i => Spec($"{strategy}{i}") with { Strategy = strategy })]);
            Assert.All(Dispatched().GroupBy(one => one.Split('@')[1]), group => Assert.InRange(group.Count(), 9, 11));
        }
        Submit(Spec("t") with { Needs = new DeviceNeeds { Preferred = ["c"] } });
        Assert.Equal(["t.1@c"], Dispatched());
    }
}
