using System.Text.Json;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Commands;

/// <summary>What one device made of a command.</summary>
/// <param name="Status"><c>done</c>, <c>failed</c> or <c>timeout</c>; <c>queued</c> or <c>running</c> while it is not
/// over.</param>
internal sealed record DeviceResult(
    string Status,
    JsonElement? Output,
    string? Error,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt,
    string TaskId
);

/// <summary>A command with what came of it.</summary>
/// <param name="RequestId">What its client calls it; its task's id when the client named nothing.</param>
/// <param name="TaskId">The task that stands for it.</param>
/// <param name="Status"><c>queued</c>, <c>running</c>, <c>completed</c>, <c>partial</c> (some devices did it) or
/// <c>failed</c>.</param>
/// <param name="Results">By device, in the order in which they were named.</param>
internal sealed record CommandAnswer(
    string RequestId,
    string TaskId,
    string Status,
    string Command,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt,
    IReadOnlyDictionary<string, DeviceResult> Results
)
{
    /// <summary>
    /// From the task that stands for the command, and its parts: one for each device, named after it.
    /// </summary>
    public static CommandAnswer Of(TaskView command, IReadOnlyList<TaskView> parts)
    {
        var byId = parts.ToDictionary(part => part.TaskId, StringComparer.Ordinal);
        var results = new Dictionary<string, DeviceResult>(StringComparer.Ordinal);
        foreach (var part in command.Subtasks ?? [])
        {
            if (byId.TryGetValue(part.TaskId, out var task))
                results[part.Name] = new DeviceResult(
                    StatusOf(task),
                    task.Result,
                    task.Error,
                    task.StartedAt,
                    task.CompletedAt,
                    task.TaskId
                );
        }
        var status = !command.IsOver
            ? results.Values.Any(one => one.Status != "queued")
                ? "running"
                : "queued"
            : results.Values.All(one => one.Status == "done")
                ? "completed"
                : results.Values.Any(one => one.Status == "done")
                    ? "partial"
                    : "failed";
        return new CommandAnswer(
            command.RequestId ?? command.TaskId,
            command.TaskId,
            status,
            command.Name,
            command.CreatedAt,
            command.CompletedAt,
            results
        );
    }

    private static string StatusOf(TaskView task) =>
        task.State switch
        {
            TaskState.Completed => "done",
            TaskState.Timeout => "timeout",
            TaskState.Failed or TaskState.Cancelled => "failed",
            TaskState.Assigned or TaskState.Running => "running",
            _ => "queued",
        };
}
