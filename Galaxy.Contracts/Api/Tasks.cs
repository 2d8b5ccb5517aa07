using System.Text.Json.Serialization;
using System.Text.Json.Nodes;

namespace Galaxy.Contracts.Api;

/// <summary>The states of a task.</summary>
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

/// <summary><c>POST /api/v1/tasks</c>.</summary>
/// <param name="Action">What to do, for instance <c>echo</c>; a device must offer it as a capability.</param>
/// <param name="TargetDevice">A device id; null: any that can.</param>
/// <param name="TimeoutSeconds">For one attempt; 300 by default.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TaskRequest
{
    public string? Name { get; init; }
    public string? Action { get; init; }
    public JsonNode? Params { get; init; }
    public string? TargetDevice { get; init; }
    public IReadOnlyList<string>? RequiredCapabilities { get; init; }
    public int? Priority { get; init; }
    public double? TimeoutSeconds { get; init; }
    public int? MaxAttempts { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>A task as the store keeps it and the API shows it.</summary>
public sealed record TaskView
{
    public required string TaskId { get; init; }
    public required string Name { get; init; }
    public required string Action { get; init; }
    public JsonNode? Params { get; init; }
    public string? TargetDevice { get; init; }
    public IReadOnlyList<string> RequiredCapabilities { get; init; } = [];
    public IReadOnlyList<string> Tags { get; init; } = [];
    public int Priority { get; init; } = 5;
    public double TimeoutSeconds { get; init; } = 300;
    public int MaxAttempts { get; init; } = 3;
    public TaskState State { get; init; }
    public int Attempts { get; init; }

    /// <summary>The present attempt; null while none is out.</summary>
    public string? AttemptId { get; init; }
    public string? DeviceId { get; init; }
    public double Progress { get; init; }
    public JsonNode? Result { get; init; }
    public string? Error { get; init; }

    /// <summary>The fencing token of the leader that wrote this version.</summary>
    public long Token { get; init; }
    public string TraceParent { get; init; } = "";
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    public bool IsOver => State is TaskState.Completed or TaskState.Failed or TaskState.Cancelled or TaskState.Timeout;
}
