using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Tests.Tasks;

public class SubmissionKeyTests
{
    private static readonly TaskView Task = new()
    {
        TaskId = "t",
        Name = "n",
        Action = "a",
    };

    [Fact]
    public void The_same_text_names_three_things_as_the_key_of_a_task_of_a_batch_and_of_a_command()
    {
        string[] names =
        [
            SubmissionKey.OfTask("k", "body").Name,
            .. SubmissionKey.OfBatch("k", 3, "body").Select(key => key.Name),
            SubmissionKey.OfCommand("k", "body").Name,
        ];

        Assert.Equal(5, names.Distinct().Count());
        Assert.All(names, name => Assert.DoesNotContain(' ', name));
    }

    [Fact]
    public void A_key_matches_what_was_submitted_with_it_and_nothing_else()
    {
        foreach (
            var (key, other, field) in new[]
            {
                (SubmissionKey.OfTask("k", "body"), SubmissionKey.OfTask("k", "other"), "Idempotency-Key"),
                (
                    SubmissionKey.OfBatch("k", 2, "body")[1],
                    SubmissionKey.OfBatch("k", 2, "other")[1],
                    "Idempotency-Key"
                ),
                (SubmissionKey.OfCommand("k", "body"), SubmissionKey.OfCommand("k", "other"), "'request_id'"),
            }
        )
        {
            var known = Task with { Idempotency = key.Mark };
            Assert.Same(known, key.Match(known));
            Assert.Equal(key.Name, SubmissionKey.NameOf(key.Mark));
            Assert.Contains(
                field,
                Assert.Throws<KeyReusedException>(() => other.Match(known)).Message,
                StringComparison.Ordinal
            );
        }
    }

    /// <summary>SHA-256, first 16 bytes: tasks that the version before wrote are found again.</summary>
    [Fact]
    public void The_key_of_a_task_is_stored_as_the_version_before_stored_it() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223", SubmissionKey.OfTask("abc", "").Name);

    [Fact]
    public void Ids_of_tasks_are_made_here_and_parts_are_named_after_the_whole()
    {
        var request = new TaskRequest
        {
            Subtasks = [new SubtaskRequest { Action = "a" }, new SubtaskRequest { Action = "b" }],
        };
        var (one, other) = (
            TaskSubmission.Read(request, DateTimeOffset.UnixEpoch),
            TaskSubmission.Read(request, DateTimeOffset.UnixEpoch)
        );

        Assert.Equal([one[0].TaskId, one[0].TaskId + "-1", one[0].TaskId + "-2"], one.Select(task => task.TaskId));
        Assert.NotEqual(one[0].TaskId, other[0].TaskId);
    }
}
