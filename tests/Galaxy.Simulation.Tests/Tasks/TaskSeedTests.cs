namespace Galaxy.Simulation.Tests.Tasks;

/// <summary>Many seeds without a violation, and every deliberate bug found.</summary>
public class TaskSeedTests
{
    public static TheoryData<string> Bugs => [.. Enum.GetNames<TaskBug>().Where(name => name != nameof(TaskBug.None))];

    private static string? Run(int seed, TaskBug bug)
    {
        try
        {
            new TaskWorld(seed, bug).Run();
            return null;
        }
        catch (TaskViolationException violation)
        {
            return violation.Message;
        }
    }

    [Fact]
    public void Every_task_is_done_and_recorded_once_whatever_happens()
    {
        Seeds.MustAllHold(500, seed => Run(seed, TaskBug.None));
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_bug_is_found(string bug)
    {
        var kind = Enum.Parse<TaskBug>(bug);
        Seeds.MustFind(bug, 500, seed => Run(seed, kind), seed => Run(seed, TaskBug.None));
    }
}
