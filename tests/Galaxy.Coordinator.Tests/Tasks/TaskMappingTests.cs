using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Tasks;
using CoreState = Galaxy.Core.Scheduling.TaskState;

namespace Galaxy.Coordinator.Tests.Tasks;

public class TaskMappingTests
{
    /// <summary>
    /// The scheduler knows no contracts and the contracts no scheduler: both name the states, and one is cast to the
    /// other.
    /// </summary>
    [Fact]
    public void Both_sides_mean_the_same_states() =>
        Assert.Equal(Enum.GetNames<CoreState>(), Enum.GetNames<TaskState>());

    [Fact]
    public void A_task_that_is_stored_and_read_is_the_same_to_the_scheduler()
    {
        var task = TaskSubmission.Read(
            new TaskRequest
            {
                Action = "echo",
                Priority = 8,
                RequiredCapabilities = ["camera"],
                MaxAttempts = 5,
            },
            DateTimeOffset.UnixEpoch
        )[0];
        var run = task.ToRun() with
        {
            State = CoreState.Assigned,
            Attempts = 2,
            AttemptId = "t.2",
            DeviceId = "d",
            StartedAt = DateTimeOffset.UnixEpoch,
        };

        var again = task.With(run).ToRun();
        Assert.Equal(
            (run.State, run.Attempts, run.AttemptId, run.DeviceId, run.StartedAt),
            (again.State, again.Attempts, again.AttemptId, again.DeviceId, again.StartedAt)
        );
        Assert.Equal(
            (8, 5, "echo camera"),
            (
                task.ToSpec().Priority,
                task.ToSpec().Retry.MaxAttempts,
                string.Join(' ', task.ToSpec().Needs.Capabilities)
            )
        );
    }
}
