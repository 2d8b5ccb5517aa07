using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;
using Galaxy.Coordinator.Tests.Storage;
using Galaxy.Core.Scheduling;
using TaskState = Galaxy.Contracts.Api.TaskState;

namespace Galaxy.Coordinator.Tests.Tasks;

public class BoardLoaderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 0, 0, 0, TimeSpan.Zero);
    private readonly Quarantine _quarantine = Quarantines.New();

    public static TheoryData<string, TaskView> Poison =>
        new()
        {
            { "a null among its devices", Queued("bad") with { RequiredDevices = [null!] } },
            { "a null among its capabilities", Queued("bad") with { RequiredCapabilities = [null!] } },
            { "a null among what it waits for", Queued("bad") with { WaitsFor = [null!] } },
            { "a null part", Queued("bad") with { Subtasks = [null!] } },
            { "a null dependency", Queued("bad") with { Dependencies = [null!] } },
            { "a dependency on nothing", Queued("bad") with { Dependencies = [new DependencyRequest(null)] } },
            { "a null attempt", Queued("bad") with { History = [null!] } },
            { "a time limit beyond all times", Queued("bad") with { TimeoutSeconds = 1e300 } },
            { "a time limit that is no number", Queued("bad") with { TimeoutSeconds = double.NaN } },
            {
                "two parts with one id",
                Queued("bad") with
                {
                    Subtasks =
                    [
                        new SubtaskView("p", "p", TaskState.Completed),
                        new SubtaskView("p", "p", TaskState.Failed),
                    ],
                }
            },
            {
                "an attempt without a device",
                Queued("bad") with
                {
                    State = TaskState.Running,
                    AttemptId = "bad.1",
                    Attempts = 1,
                    StartedAt = Now,
                }
            },
        };

    [Theory]
    [MemberData(nameof(Poison))]
    public void One_task_that_cannot_be_used_harms_itself_only(string what, TaskView poison)
    {
        Assert.NotEmpty(what);
        var stored = Enumerable.Range(0, 50).Select(i => Queued($"good-{i}")).ToList();
        stored.Insert(20, poison);

        var (board, usable) = new BoardLoader(_quarantine, NewBoard).Load(stored, Now);

        Assert.Equal(50, usable.Count(one => one.Task.TaskId != "bad"));
        // Either it is harmless, or it is set aside: it is never loaded and broken.
        Assert.True(usable.Count == 51 || _quarantine.Contains(Quarantine.Tasks, "bad"));
        board.Arrive(
            new BoardDevice("d")
            {
                Type = "x",
                Capabilities = new Dictionary<string, int> { ["a"] = 5 },
                Slots = 10,
            },
            null,
            Now
        );
        board.Place(Now);
        Assert.Equal(10, board.Take().Effects.OfType<BoardEffect.Dispatch>().Count());
    }

    [Fact]
    public void Many_that_cannot_be_used_are_all_found()
    {
        var stored = Enumerable
            .Range(0, 400)
            .Select(i => i % 7 == 0 ? Queued($"bad-{i}") with { RequiredCapabilities = [null!] } : Queued($"good-{i}"))
            .ToList();

        var (_, usable) = new BoardLoader(_quarantine, NewBoard).Load(stored, Now);

        Assert.Equal(342, usable.Count);
        Assert.Equal(58, _quarantine.List().Count);
    }

    private static TaskBoard NewBoard() => new(new Random(1), (_, _) => null);

    private static TaskView Queued(string id) =>
        new()
        {
            TaskId = id,
            Name = id,
            Action = "a",
            State = TaskState.Queued,
            CreatedAt = Now,
        };
}
