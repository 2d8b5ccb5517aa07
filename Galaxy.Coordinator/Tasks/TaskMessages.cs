using System.Buffers;
using System.Text.Json;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Tasks;

/// <summary>What devices are told of tasks, as UTF-8 JSON. Written by hand: thousands a second.</summary>
internal static class TaskMessages
{
    /// <summary>In <c>galaxy.v1</c> a <c>task</c>; for old clients a <c>command</c> with the same ids.</summary>
    public static byte[] Assignment(TaskView task, bool acknowledged, string traceParent) =>
        Write(writer =>
        {
            writer.WriteString("type", acknowledged ? "task" : "command");
            writer.WriteString(acknowledged ? "action" : "command", task.Action);
            writer.WritePropertyName("params");
            if (task.Params is { } parameters)
                parameters.WriteTo(writer);
            else
                writer.WriteRawValue("{}");
            writer.WriteString("task_id", task.TaskId);
            if (!acknowledged)
            {
                writer.WriteString("request_id", RequestIdOf(task));
                return;
            }
            writer.WriteString("attempt_id", task.AttemptId);
            writer.WriteNumber("token", task.Token);
            writer.WriteNumber("timeout_seconds", task.TimeoutSeconds);
            writer.WriteString("traceparent", traceParent.Length > 0 ? traceParent : task.TraceParent ?? "");
        });

    /// <summary>
    /// What the client calls the whole that this task is or belongs to; its id when the client named nothing.
    /// </summary>
    public static string RequestIdOf(TaskView task) => task.RequestId ?? task.ParentId ?? task.TaskId;

    public static byte[] Cancel(string taskId, string attemptId) => Ids("cancel", taskId, attemptId);

    /// <summary>The result is recorded, or of no use: forget it.</summary>
    public static byte[] ResultAcknowledged(string taskId, string attemptId) => Ids("result_ack", taskId, attemptId);

    private static byte[] Ids(string type, string taskId, string attemptId) =>
        Write(writer =>
        {
            writer.WriteString("type", type);
            writer.WriteString("task_id", taskId);
            writer.WriteString("attempt_id", attemptId);
        });

    private static byte[] Write(Action<Utf8JsonWriter> fill)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            fill(writer);
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
