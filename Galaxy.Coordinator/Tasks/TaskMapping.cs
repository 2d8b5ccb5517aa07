using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Core.Scheduling;
using CoreState = Galaxy.Core.Scheduling.TaskState;
using ViewState = Galaxy.Contracts.Api.TaskState;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Between the task that is stored and shown and what the scheduler knows of it.</summary>
internal static class TaskMapping
{
    public static TaskSpec ToSpec(this TaskView task) =>
        new(task.TaskId)
        {
            Priority = task.Priority,
            Timeout = TimeSpan.FromSeconds(task.TimeoutSeconds),
            Retry = ToPolicy(task.Retry),
            Strategy = ParseWord<PlacementStrategy>(task.Strategy) ?? PlacementStrategy.LeastLoaded,
            Needs = new DeviceNeeds
            {
                Devices = task.TargetDevice is { } target ? [target] : task.RequiredDevices ?? [],
                Preferred = task.PreferredDevices ?? [],
                // A device named by the submitter is trusted to know the action: old clients declare no capabilities.
                Capabilities =
                    task.TargetDevice is null && task.Action.Length > 0
                        ? [task.Action, .. task.RequiredCapabilities ?? []]
                        : task.RequiredCapabilities ?? [],
                Resources = ToCore(task.Resources) ?? default,
                Location = task.Location ?? "",
            },
            Dependencies =
            [
                .. task.Dependencies?.Select(one => new Dependency(
                    one.TaskId!,
                    ParseWord<DependencyCondition>(one.Condition ?? "") ?? DependencyCondition.Success,
                    one.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null
                ))
                    ?? [],
            ],
            ParentId = task.ParentId,
            Children = [.. task.Subtasks?.Select(part => part.TaskId) ?? []],
            IsGang = task.Gang == true,
            NotBefore = task.NotBefore,
            Cron = task.Cron,
            IsHeld = task.Hold == true,
            CreatedAt = task.CreatedAt,
        };

    public static RetryPolicy ToPolicy(RetryRequest? retry)
    {
        var standard = RetryPolicy.Default;
        return retry is null
            ? standard
            : new RetryPolicy(
                retry.MaxAttempts ?? standard.MaxAttempts,
                retry.DelaySeconds is { } delay ? TimeSpan.FromSeconds(delay) : standard.Delay,
                ParseWord<Backoff>(retry.Backoff ?? "") ?? standard.Backoff,
                retry.MaxDelaySeconds is { } most ? TimeSpan.FromSeconds(most) : standard.MaxDelay,
                retry.RetryOn ?? []
            );
    }

    public static Resources? ToCore(ResourceAmounts? amounts) =>
        amounts is null ? null : new Resources(amounts.CpuPercent, amounts.MemoryMib, amounts.BandwidthKbps);

    public static TaskRun ToRun(this TaskView task) =>
        new()
        {
            State = (CoreState)task.State,
            Attempts = task.Attempts,
            AttemptId = task.AttemptId,
            DeviceId = task.DeviceId,
            Progress = task.Progress,
            Error = task.Error,
            StartedAt = task.StartedAt,
            CompletedAt = task.CompletedAt,
            DueAt = task.DueAt,
            WaitsFor = task.WaitsFor ?? [],
            Ended = task.Subtasks?.Where(part => part.State is not null)
                .ToDictionary(part => part.TaskId, part => (CoreState)part.State!)
                ?? [],
            LastCopy = task.LastCopy,
            History =
            [
                .. task.History?.Select(past => new PastAttempt(
                    past.AttemptId,
                    past.DeviceId,
                    past.StartedAt,
                    past.EndedAt,
                    past.Outcome,
                    past.Error
                )) ?? [],
            ],
        };

    /// <summary>The task with what became of it.</summary>
    public static TaskView With(this TaskView task, TaskRun run) =>
        task with
        {
            State = (ViewState)run.State,
            Attempts = run.Attempts,
            AttemptId = run.AttemptId,
            DeviceId = run.DeviceId,
            Progress = run.Progress,
            Result = run.Result.IsEmpty ? null : Parse(run.Result),
            Error = run.Error,
            StartedAt = run.StartedAt,
            CompletedAt = run.CompletedAt,
            DueAt = run.DueAt,
            WaitsFor = run.WaitsFor.Count > 0 ? run.WaitsFor : null,
            Subtasks =
                task.Subtasks is { } parts && run.Ended.Count > 0
                    ?
                    [
                        .. parts.Select(part =>
                            run.Ended.TryGetValue(part.TaskId, out var end)
                                ? part with
                                {
                                    State = (ViewState)end,
                                }
                                : part
                        ),
                    ]
                    : task.Subtasks,
            LastCopy = run.LastCopy,
            History =
                run.History.Count > 0
                    ?
                    [
                        .. run.History.Select(past => new AttemptView(
                            past.AttemptId,
                            past.DeviceId,
                            past.StartedAt,
                            past.EndedAt,
                            past.Outcome,
                            past.Error
                        )),
                    ]
                    : null,
        };

    /// <summary>What devices sent is JSON already.</summary>
    public static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span);
        return JsonElement.ParseValue(ref reader);
    }

    public static BoardDevice ToBoard(this DeviceView device, bool takesTasks) =>
        new(device.DeviceId)
        {
            Type = device.DeviceType,
            Capabilities = device
                .Capabilities.DistinctBy(capability => capability.Name, StringComparer.Ordinal)
                .ToDictionary(capability => capability.Name, capability => capability.Priority, StringComparer.Ordinal),
            Slots = takesTasks ? Math.Clamp(device.Slots, 0, DeviceLimits.MaxSlots) : 0,
            Room = ToCore(device.Resources),
            Location = device.Location ?? "",
            Weight = device.Weight is > 0 and <= DeviceLimits.MaxWeight ? device.Weight : 1,
        };

    /// <summary>Reads <c>round_robin</c> and the like; null: there is no such word.</summary>
    public static T? ParseWord<T>(string word)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()) == word)
                return value;
        }
        return null;
    }

    /// <summary>All words of an enumeration, for complaints.</summary>
    public static string Words<T>()
        where T : struct, Enum =>
        string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName));
}
