namespace Galaxy.Core.Scheduling;

/// <summary>An attempt that is over and did not bring the result.</summary>
/// <param name="Outcome"><c>failed</c>, <c>timeout</c>, <c>lost</c>, <c>cancelled</c>.</param>
public sealed record PastAttempt(
    string AttemptId,
    string DeviceId,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    string Outcome,
    string Error
);

/// <summary>What became of a task so far. Immutable; each change makes the next.</summary>
public sealed record TaskRun
{
    /// <summary>Past attempts that are kept.</summary>
    public const int MostHistory = 20;

    public TaskState State { get; init; } = TaskState.Queued;

    /// <summary>Attempts begun.</summary>
    public int Attempts { get; init; }

    /// <summary>The present attempt, or the one that ended the task; null while none is out.</summary>
    public string? AttemptId { get; init; }
    public string? DeviceId { get; init; }

    /// <summary>0 to 1.</summary>
    public double Progress { get; init; }

    /// <summary>The result as JSON; empty: none.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }
    public string? Error { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>When a waiting task may go on.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Tasks that have not ended yet.</summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    /// <summary>Of a parent: parts that have ended, and how.</summary>
    public IReadOnlyDictionary<string, TaskState> Ended { get; init; } = new Dictionary<string, TaskState>();

    /// <summary>Of a template: the copy that was submitted last.</summary>
    public string? LastCopy { get; init; }
    public IReadOnlyList<PastAttempt> History { get; init; } = [];

    /// <summary>On a device at this moment, as far as is known.</summary>
    public bool IsOut => State is TaskState.Assigned or TaskState.Running && AttemptId is not null;

    internal TaskRun WithPast(string outcome, string error, DateTimeOffset now) =>
        AttemptId is null || DeviceId is null
            ? this
            : this with
            {
                History =
                [
                    .. History.TakeLast(MostHistory - 1),
                    new PastAttempt(AttemptId, DeviceId, StartedAt ?? now, now, outcome, error),
                ],
            };
}
