namespace Galaxy.Core.Scheduling;

/// <summary>The state of a task.</summary>
public enum TaskState
{
    /// <summary>Waits for other tasks, or for being released.</summary>
    Pending,

    /// <summary>Could run; waits for a device.</summary>
    Queued,

    /// <summary>Waits for its time.</summary>
    Scheduled,

    /// <summary>Given to a device.</summary>
    Assigned,

    /// <summary>The device has said that it works on it.</summary>
    Running,
    Completed,
    Failed,
    Cancelled,
    Timeout,

    /// <summary>An attempt failed; waits for the next.</summary>
    Retrying,
}

public static class TaskStates
{
    /// <summary>Nothing changes any more.</summary>
    public static bool IsOver(this TaskState state) =>
        state is TaskState.Completed or TaskState.Failed or TaskState.Cancelled or TaskState.Timeout;
}
