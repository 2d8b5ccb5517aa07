using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Tasks;

/// <summary>More was sent than may be stored at once.</summary>
/// <param name="message">One sentence that says what to do.</param>
internal sealed class TaskTooLargeException(string message) : Exception(message);

/// <summary>
/// How many bytes tasks take in the store. One write has to pass within the store's timeout, so what one request, one
/// turn and all open tasks take is bounded.
/// </summary>
internal static class TaskSize
{
    /// <summary>
    /// One submission: a task with its parts, or a whole batch. A part is stored with what it shares with the whole.
    /// </summary>
    public const long MaxSubmission = 8 * 1024 * 1024;

    /// <summary>What one turn of the engine writes, roughly: it ends with the event that passes this.</summary>
    public const long MaxTurn = 8 * 1024 * 1024;

    /// <summary>All open tasks: a new leader reads them before it serves.</summary>
    public const long MaxOpen = 256 * 1024 * 1024;

    /// <summary>How many open tasks there may be.</summary>
    public const int MaxOpenCount = 200_000;

    /// <summary>The text of an error that a device tells; the rest is cut off.</summary>
    public const int MaxErrorLength = 4096;

    /// <summary>
    /// An output that comes after its attempt was given up is kept beside others, if it is no larger.
    /// </summary>
    public const int MaxLateOutput = 64 * 1024;

    // What every record has besides its variable parts.
    private const int Overhead = 1024;

    // Most letters take fewer; half of a surrogate pair that is escaped takes six.
    private const long BytesPerChar = 3;

    /// <summary>
    /// Tasks that hang together, by parts or dependencies: the end of one may end all of them in one turn.
    /// </summary>
    public const long MaxFamily = 16 * 1024 * 1024;

    /// <summary>As they would be written, exactly.</summary>
    /// <exception cref="TaskTooLargeException">It is more than <see cref="MaxSubmission"/>; the rest is not
    /// counted.</exception>
    public static long Measure(IEnumerable<TaskView> tasks)
    {
        var total = 0L;
        var buffer = new ArrayBufferWriter<byte>(Overhead);
        using var writer = new Utf8JsonWriter(buffer);
        foreach (var task in tasks)
        {
            buffer.ResetWrittenCount();
            writer.Reset();
            JsonSerializer.Serialize(writer, task, GalaxyJson.Options);
            total += buffer.WrittenCount;
            if (total > MaxSubmission)
                throw new TaskTooLargeException(
                    $"These tasks would take more than {MaxSubmission / 1024 / 1024} MiB as they are "
                        + "stored, each part with what it shares with the whole. "
                        + "Send fewer at a time, or put large data into the state and name its key in 'params'."
                );
        }
        return total;
    }

    /// <summary>As it is written when it changes, roughly.</summary>
    public static long Estimate(TaskView task) =>
        Overhead
        + Text(task.Tags)
        + Text(task.RequiredDevices)
        + Text(task.PreferredDevices)
        + Text(task.RequiredCapabilities)
        + Text(task.Retry?.RetryOn)
        + BytesPerChar * (task.Name.Length + (task.CallbackUrl?.Length ?? 0))
        + (task.Dependencies?.Count ?? 0) * 128L
        + (task.WaitsFor?.Count ?? 0) * 64L
        + Raw(task.Params)
        + Raw(task.Result)
        + (task.Subtasks?.Count ?? 0) * 128L
        + (task.History?.Sum(past => 256L + (past.Error?.Length ?? 0)) ?? 0)
        + (task.LateResults?.Sum(late => 256L + Raw(late.Result) + (late.Error?.Length ?? 0)) ?? 0);

    /// <summary>An error's text, as much of it as is kept.</summary>
    public static string Cut(string error) =>
        error.Length <= MaxErrorLength ? error : string.Concat(error.AsSpan(0, Whole(error, MaxErrorLength - 1)), "…");

    // Not between the halves of a pair.
    private static int Whole(string text, int length) => char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;

    private static long Text(IReadOnlyList<string>? texts) => texts?.Sum(text => (BytesPerChar * text.Length) + 3) ?? 0;

    private static long Raw(JsonElement? value) =>
        value is { ValueKind: not JsonValueKind.Undefined } given ? JsonMarshal.GetRawUtf8Value(given).Length : 0;
}
