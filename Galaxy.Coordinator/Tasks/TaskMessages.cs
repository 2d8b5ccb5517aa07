using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>A task as devices receive it.</summary>
internal static class TaskMessages
{
    /// <summary>In <c>galaxy.v1</c> a <c>task</c>; for old clients a <c>command</c> with the same ids.</summary>
    public static JsonObject Assignment(TaskView task, bool acknowledged, string traceParent) => acknowledged
        ? new JsonObject
        {
            ["type"] = "task",
            ["task_id"] = task.TaskId,
            ["attempt_id"] = task.AttemptId,
            ["token"] = task.Token,
            ["action"] = task.Action,
            ["params"] = task.Params?.DeepClone() ?? new JsonObject(),
            ["timeout_seconds"] = task.TimeoutSeconds,
            ["traceparent"] = traceParent.Length > 0 ? traceParent : task.TraceParent,
        }
        : new JsonObject
        {
            ["type"] = "command",
            ["command"] = task.Action,
            ["params"] = task.Params?.DeepClone() ?? new JsonObject(),
            ["task_id"] = task.TaskId,
            ["request_id"] = task.TaskId,
        };
}
