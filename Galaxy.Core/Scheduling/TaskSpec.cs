namespace Galaxy.Core.Scheduling;

/// <summary>How long to wait before the next attempt.</summary>
public enum Backoff
{
    Fixed,
    Linear,
    Exponential,
}

/// <summary>What happens after an attempt that failed.</summary>
/// <param name="MaxAttempts">1: never again.</param>
/// <param name="Delay">Before the second attempt.</param>
/// <param name="MaxDelay">No wait is longer.</param>
/// <param name="RetryOn">Parts of error messages; empty: every error is worth another attempt.</param>
public sealed record RetryPolicy(
    int MaxAttempts,
    TimeSpan Delay,
    Backoff Backoff,
    TimeSpan MaxDelay,
    IReadOnlyList<string> RetryOn
)
{
    /// <summary>Three attempts, 1 s and 2 s apart.</summary>
    public static RetryPolicy Default { get; } =
        new(3, TimeSpan.FromSeconds(1), Backoff.Exponential, TimeSpan.FromSeconds(60), []);

    /// <param name="attempts">How many were made.</param>
    /// <param name="error">What the last one said.</param>
    public bool Allows(int attempts, string error) =>
        attempts < MaxAttempts
        && (RetryOn.Count == 0 || RetryOn.Any(part => error.Contains(part, StringComparison.OrdinalIgnoreCase)));

    /// <param name="attempts">How many were made, at least 1.</param>
    public TimeSpan DelayAfter(int attempts)
    {
        var factor = Backoff switch
        {
            Backoff.Fixed => 1,
            Backoff.Linear => attempts,
            _ => Math.Pow(2, Math.Min(attempts - 1, 30)),
        };
        var delay = Delay * factor;
        return delay < MaxDelay ? delay : MaxDelay;
    }
}

/// <summary>Which end of another task is waited for.</summary>
public enum DependencyCondition
{
    Success,
    Failure,

    /// <summary>Any end.</summary>
    Completed,
}

/// <summary>Another task that must have ended.</summary>
/// <param name="Timeout">From the submission; null: waits for ever.</param>
public sealed record Dependency(string TaskId, DependencyCondition Condition, TimeSpan? Timeout = null)
{
    public bool IsMetBy(TaskState end) =>
        Condition switch
        {
            DependencyCondition.Success => end == TaskState.Completed,
            DependencyCondition.Failure => end is TaskState.Failed or TaskState.Timeout or TaskState.Cancelled,
            _ => end.IsOver(),
        };
}

/// <summary>A part of a device, or what a task takes of one.</summary>
/// <param name="CpuPercent">Of all its processors.</param>
/// <param name="BandwidthKbps">Kilobits per second.</param>
public readonly record struct Resources(double CpuPercent, double MemoryMib, double BandwidthKbps)
{
    public static Resources operator +(Resources a, Resources b) =>
        new(a.CpuPercent + b.CpuPercent, a.MemoryMib + b.MemoryMib, a.BandwidthKbps + b.BandwidthKbps);

    public static Resources operator -(Resources a, Resources b) =>
        new(a.CpuPercent - b.CpuPercent, a.MemoryMib - b.MemoryMib, a.BandwidthKbps - b.BandwidthKbps);

    public bool IsNothing => this == default;

    public bool FitsInto(Resources room) =>
        CpuPercent <= room.CpuPercent && MemoryMib <= room.MemoryMib && BandwidthKbps <= room.BandwidthKbps;
}

/// <summary>What a task asks of its device.</summary>
public sealed record DeviceNeeds
{
    public static DeviceNeeds None { get; } = new();

    /// <summary>Ids or types; empty: any device.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Ids or types that are taken before others, when they are free.</summary>
    public IReadOnlyList<string> Preferred { get; init; } = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public Resources Resources { get; init; }

    /// <summary>Where the task would best be run; for <see cref="PlacementStrategy.Location"/>.</summary>
    public string Location { get; init; } = "";

    /// <summary>Equal for tasks that any device can take or not take alike.</summary>
    public string Shape =>
        string.Join(
            '\u0001',
            [
                string.Join('\u0002', Devices),
                string.Join('\u0002', Capabilities),
                $"{Resources.CpuPercent}/{Resources.MemoryMib}/{Resources.BandwidthKbps}",
            ]
        );
}

/// <summary>How one of several devices that can is chosen.</summary>
public enum PlacementStrategy
{
    /// <summary>The device that runs least, in proportion to what it can run.</summary>
    LeastLoaded,

    /// <summary>The device that offers the first capability with the highest priority.</summary>
    Priority,

    /// <summary>The device that was served least so far, in proportion to its weight.</summary>
    Fair,
    RoundRobin,

    /// <summary>The device with the fewest other capabilities: generalists are kept free.</summary>
    Capability,

    /// <summary>
    /// The device at the task's location, or nearest by its name: <c>home/attic/desk</c> is nearer to <c>home/attic</c>
    /// than <c>home</c>.
    /// </summary>
    Location,
    Random,

    /// <summary>
    /// The better of two random ones by latency and load (Mitzenmacher, The Power of Two Choices, 2001).
    /// </summary>
    Adaptive,
}

/// <summary>What the scheduler knows of a task from its submission on.</summary>
public sealed record TaskSpec(string TaskId)
{
    /// <summary>1 to 10; more is more urgent.</summary>
    public int Priority { get; init; } = 5;

    /// <summary>For one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(300);
    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;
    public PlacementStrategy Strategy { get; init; }
    public DeviceNeeds Needs { get; init; } = DeviceNeeds.None;
    public IReadOnlyList<Dependency> Dependencies { get; init; } = [];

    /// <summary>The task that this is a part of.</summary>
    public string? ParentId { get; init; }

    /// <summary>Its parts; such a task runs on no device and ends with them.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>Of a parent: its parts start together or not at all.</summary>
    public bool IsGang { get; init; }

    /// <summary>Nothing happens before.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>A cron expression: the task is a template, of which a copy is submitted each time.</summary>
    public string? Cron { get; init; }

    /// <summary>Waits until it is released.</summary>
    public bool IsHeld { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
