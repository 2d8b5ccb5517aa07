using System.Text.Json;
using System.Text.Json.Serialization;

namespace Galaxy.Contracts.Api;

/// <summary>The states of a task, as in <c>Galaxy.Core.Scheduling.TaskState</c>.</summary>
public enum TaskState
{
    Pending,
    Queued,
    Scheduled,
    Assigned,
    Running,
    Completed,
    Failed,
    Cancelled,
    Timeout,
    Retrying,
}

/// <summary>What a task takes of a device, or what a device has to give.</summary>
/// <param name="CpuPercent">Of all its processors, 0 to 100.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ResourceAmounts(double CpuPercent = 0, double MemoryMib = 0, double BandwidthKbps = 0);

/// <summary>What happens after an attempt that failed.</summary>
/// <param name="Backoff"><c>fixed</c>, <c>linear</c> or <c>exponential</c>.</param>
/// <param name="RetryOn">Parts of error messages; empty: every error is worth another attempt.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RetryRequest(
    int? MaxAttempts = null,
    double? DelaySeconds = null,
    string? Backoff = null,
    double? MaxDelaySeconds = null,
    IReadOnlyList<string>? RetryOn = null
);

/// <summary>Another task that must have ended.</summary>
/// <param name="Condition"><c>success</c> (default), <c>failure</c> or <c>completed</c>.</param>
/// <param name="TimeoutSeconds">From the submission; null: waits for ever.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DependencyRequest(string? TaskId, string? Condition = null, double? TimeoutSeconds = null);

/// <summary>A part of a task.</summary>
/// <param name="DependsOn">Names of other parts that must complete first.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SubtaskRequest
{
    public string? Name { get; init; }
    public string? Action { get; init; }
    public string? TargetDevice { get; init; }
    public IReadOnlyList<string>? RequiredDevices { get; init; }
    public IReadOnlyList<string>? RequiredCapabilities { get; init; }
    public ResourceAmounts? Resources { get; init; }
    public JsonElement? Params { get; init; }
    public IReadOnlyList<string>? DependsOn { get; init; }
}

/// <summary><c>POST /api/v1/tasks</c>: either an <see cref="Action"/> or <see cref="Subtasks"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TaskRequest
{
    public string? Name { get; init; }

    /// <summary>
    /// <c>command</c> (default), <c>query</c>, <c>transfer</c>, <c>sync</c>, <c>batch</c>, <c>workflow</c>,
    /// <c>scheduled</c>.
    /// </summary>
    public string? Type { get; init; }

    /// <summary>What to do, for instance <c>echo</c>; a device must offer it as a capability.</summary>
    public string? Action { get; init; }
    public JsonElement? Params { get; init; }

    /// <summary>A device id; null: any that can.</summary>
    public string? TargetDevice { get; init; }

    /// <summary>Ids or types, one of which it must be.</summary>
    public IReadOnlyList<string>? RequiredDevices { get; init; }

    /// <summary>Ids or types that are taken before others.</summary>
    public IReadOnlyList<string>? PreferredDevices { get; init; }
    public IReadOnlyList<string>? RequiredCapabilities { get; init; }
    public ResourceAmounts? Resources { get; init; }

    /// <summary>A path such as <c>home/attic</c>, for the strategy <c>location</c>.</summary>
    public string? Location { get; init; }

    /// <summary>1, 2, 5, 8 or 10; 5 by default.</summary>
    public int? Priority { get; init; }

    /// <summary>For one attempt; 300 by default.</summary>
    public double? TimeoutSeconds { get; init; }

    /// <summary>Short for <c>retry.max_attempts</c>.</summary>
    public int? MaxAttempts { get; init; }
    public RetryRequest? Retry { get; init; }

    /// <summary>
    /// <c>least_loaded</c> (default), <c>priority</c>, <c>fair</c>, <c>round_robin</c>, <c>capability</c>,
    /// <c>location</c>, <c>random</c>, <c>adaptive</c>.
    /// </summary>
    public string? Strategy { get; init; }
    public IReadOnlyList<DependencyRequest>? Dependencies { get; init; }
    public IReadOnlyList<SubtaskRequest>? Subtasks { get; init; }

    /// <summary>All parts start together or not at all.</summary>
    public bool? Gang { get; init; }

    /// <summary>
    /// Five fields, or six with seconds, in UTC: a copy of the task is submitted at each of these times.
    /// </summary>
    public string? Cron { get; init; }

    /// <summary>Not before that time.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Waits until <c>POST /tasks/{id}/execute</c>.</summary>
    public bool? Hold { get; init; }

    /// <summary>Where the finished task is posted to, signed.</summary>
    public string? CallbackUrl { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>An attempt that is over and did not bring the result.</summary>
/// <param name="Outcome"><c>failed</c>, <c>timeout</c> or <c>lost</c>.</param>
public sealed record AttemptView(
    string AttemptId,
    string DeviceId,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    string Outcome,
    string Error
);

/// <summary>A result that came after its attempt had been given up.</summary>
public sealed record LateResult(
    string AttemptId,
    string DeviceId,
    DateTimeOffset ReceivedAt,
    bool Failed,
    JsonElement? Result,
    string? Error
);

/// <summary>A part of a task, and how it ended.</summary>
/// <param name="State">Null: it has not ended.</param>
public sealed record SubtaskView(string TaskId, string Name, TaskState? State);

/// <summary>A task as the store keeps it and the API shows it.</summary>
public sealed record TaskView
{
    public required string TaskId { get; init; }

    /// <summary>
    /// Of a command and its parts: the <c>request_id</c> that its client chose, or the id of the command when it chose
    /// none; never an id of a task.
    /// </summary>
    public string? RequestId { get; init; }
    public required string Name { get; init; }
    public string Type { get; init; } = "command";

    /// <summary>Empty for a task that consists of parts.</summary>
    public required string Action { get; init; }
    public JsonElement? Params { get; init; }
    public string? TargetDevice { get; init; }
    public IReadOnlyList<string>? RequiredDevices { get; init; }
    public IReadOnlyList<string>? PreferredDevices { get; init; }
    public IReadOnlyList<string>? RequiredCapabilities { get; init; }
    public ResourceAmounts? Resources { get; init; }
    public string? Location { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public int Priority { get; init; } = 5;
    public double TimeoutSeconds { get; init; } = 300;
    public RetryRequest? Retry { get; init; }
    public string Strategy { get; init; } = "least_loaded";
    public IReadOnlyList<DependencyRequest>? Dependencies { get; init; }
    public string? ParentId { get; init; }
    public IReadOnlyList<SubtaskView>? Subtasks { get; init; }
    public bool? Gang { get; init; }
    public string? Cron { get; init; }

    /// <summary>The task with a <c>cron</c> expression that this is a copy of.</summary>
    public string? CopyOf { get; init; }
    public string? LastCopy { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public bool? Hold { get; init; }
    public string? CallbackUrl { get; init; }

    /// <summary>Of the call to <see cref="CallbackUrl"/>: <c>delivered</c>, or why it was given up.</summary>
    public string? Callback { get; init; }

    public TaskState State { get; init; }
    public int Attempts { get; init; }

    /// <summary>The present attempt, or the one that ended the task; null while none is out.</summary>
    public string? AttemptId { get; init; }
    public string? DeviceId { get; init; }

    /// <summary>0 to 1.</summary>
    public double Progress { get; init; }
    public JsonElement? Result { get; init; }
    public string? Error { get; init; }

    /// <summary>Tasks that it waits for.</summary>
    public IReadOnlyList<string>? WaitsFor { get; init; }

    /// <summary>When it goes on: the next attempt, the time it is scheduled for.</summary>
    public DateTimeOffset? DueAt { get; init; }
    public IReadOnlyList<AttemptView>? History { get; init; }
    public IReadOnlyList<LateResult>? LateResults { get; init; }

    /// <summary>The fencing token of the leader that wrote this version.</summary>
    public long Token { get; init; }
    public string? TraceParent { get; init; }

    /// <summary>Of the Idempotency-Key that it was submitted with, and of what was submitted.</summary>
    public string? Idempotency { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    [JsonIgnore]
    public bool IsOver => State is TaskState.Completed or TaskState.Failed or TaskState.Cancelled or TaskState.Timeout;
}
