using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Tests.Tasks;

public class OpenTasksTests
{
    private static TaskView Task(string id, long token, TaskState state = TaskState.Queued) => new() { TaskId = id, Name = id, Action = "echo", Token = token, State = state };

    [Fact]
    public void A_term_begins_with_what_the_store_holds()
    {
        var open = new OpenTasks();

        open.Begin(2, [Task("a", 1), Task("b", 1)]);

        Assert.Equal(["a", "b"], open.All.Select(task => task.TaskId).Order());
    }

    [Fact]
    public void A_task_that_is_submitted_in_the_term_is_added()
    {
        var open = new OpenTasks();
        open.Begin(2, []);

        open.Submitted(Task("a", 2));

        Assert.Equal(1, open.Count);
    }

    [Fact]
    public void A_submission_that_the_store_already_told_of_does_not_undo_what_happened_since()
    {
        var open = new OpenTasks();
        open.Begin(2, [Task("a", 2), Task("b", 2)]);
        open.Set(Task("a", 2, TaskState.Assigned));
        open.Remove("b");

        open.Submitted(Task("a", 2));
        open.Submitted(Task("b", 2));

        Assert.Equal(TaskState.Assigned, Assert.Single(open.All).State);
    }

    [Fact]
    public void A_submission_of_another_term_is_left_to_the_store()
    {
        var open = new OpenTasks();
        open.Submitted(Task("too early", 2));
        open.Begin(2, []);
        open.End();
        open.Submitted(Task("too late", 2));

        Assert.Equal(0, open.Count);
    }
}
