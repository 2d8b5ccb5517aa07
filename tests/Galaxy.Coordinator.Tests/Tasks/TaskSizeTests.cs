using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Tests.Tasks;

/// <summary>
/// What bounds the engine's writes is near what is written, and families are counted as they grow and end.
/// </summary>
public class TaskSizeTests
{
    private static readonly IReadOnlyList<string> Long =
    [
        .. Enumerable.Range(0, 100).Select(i => $"{i:000}" + new string('x', 253)),
    ];
    private static readonly IReadOnlyList<string> Chinese =
    [
        .. Enumerable.Range(0, 100).Select(i => $"{i:000}" + new string('星', 253)),
    ];

    public static TheoryData<TaskView> Tasks =>
        new()
        {
            New("small"),
            New("params") with
            {
                Params = JsonSerializer.SerializeToElement(new { text = new string('x', 300_000) }),
            },
            New("lists") with
            {
                Tags = Long,
                RequiredCapabilities = Long,
                PreferredDevices = Long,
                RequiredDevices = Long,
                Retry = new RetryRequest { RetryOn = Long },
            },
            New("chinese") with
            {
                Tags = Chinese,
                RequiredCapabilities = Chinese,
            },
            New("history") with
            {
                History =
                [
                    .. Enumerable
                        .Range(0, 20)
                        .Select(i => new AttemptView(
                            $"a.{i}",
                            "d",
                            DateTimeOffset.UnixEpoch,
                            DateTimeOffset.UnixEpoch,
                            "failed",
                            new string('e', 4096)
                        )),
                ],
            },
            New("dependencies") with
            {
                Dependencies = [.. Enumerable.Range(0, 100).Select(i => new DependencyRequest(new string('t', 60)))],
            },
        };

    [Theory]
    [MemberData(nameof(Tasks))]
    public void An_estimate_is_no_less_than_half_of_what_is_written_and_no_more_than_four_times(TaskView task)
    {
        var exact = JsonSerializer.SerializeToUtf8Bytes(task, GalaxyJson.Options).Length;
        Assert.Equal(exact, TaskSize.Measure([task]));
        Assert.InRange(TaskSize.Estimate(task), exact / 2, (4 * exact) + 2048);
    }

    [Fact]
    public void More_than_one_submission_may_take_is_refused_before_all_of_it_is_counted()
    {
        var counted = 0;
        var large = New("large") with { Tags = Long };
        Assert.Throws<TaskTooLargeException>(() =>
            TaskSize.Measure(
                Enumerable
                    .Range(0, 100_000)
                    .Select(_ =>
                    {
                        counted++;
                        return large;
                    })
            )
        );
        Assert.InRange(counted, 1, 1000);
    }

    [Fact]
    public void An_errors_text_is_cut_between_whole_characters()
    {
        var text = string.Concat(Enumerable.Repeat("😀", 5000));
        for (var shift = 0; shift < 2; shift++)
        {
            var cut = TaskSize.Cut(new string('x', shift) + text);
            Assert.InRange(cut.Length, TaskSize.MaxErrorLength - 2, TaskSize.MaxErrorLength);
            Assert.EndsWith("…", cut);
            Assert.False(char.IsHighSurrogate(cut[^2]));
        }
        Assert.Equal("short", TaskSize.Cut("short"));
    }

    [Fact]
    public void A_family_grows_by_what_hangs_on_it_and_loses_what_ends()
    {
        var families = new TaskFamilies();
        foreach (var (id, bytes) in new[] { ("a", 1L), ("b", 10L), ("c", 100L), ("d", 1000L) })
            families.Add(id, bytes);
        Assert.Equal(1, families.BytesOf(["a"]));
        families.Unite("a", "b");
        families.Unite("c", "d");
        Assert.Equal(11, families.BytesOf(["b", "a"]));
        Assert.Equal(1111, families.BytesOf(["a", "d", "nobody"]));
        families.Unite("b", "c");
        families.Unite("b", "c");
        Assert.Equal(1111, families.BytesOf(["a"]));

        families.Remove("a");
        families.Remove("a");
        Assert.False(families.Contains("a"));
        Assert.Equal(1110, families.BytesOf(["d"]));
        foreach (var id in (string[])["b", "d", "c"])
            families.Remove(id);
        Assert.Equal(0, families.BytesOf(["a", "b", "c", "d"]));
        // The names are free again.
        families.Add("a", 5);
        Assert.Equal(5, families.BytesOf(["a"]));
    }

    private static TaskView New(string name) =>
        new()
        {
            TaskId = Guid.NewGuid().ToString("N"),
            Name = name,
            Action = "echo",
        };
}
