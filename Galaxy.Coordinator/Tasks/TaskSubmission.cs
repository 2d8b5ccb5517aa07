using System.Runtime.InteropServices;
using System.Text.Json;
using Cronos;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Core.Scheduling;
using Galaxy.ServiceDefaults.Telemetry;
using TaskState = Galaxy.Contracts.Api.TaskState;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Something is wrong with what a client sent.</summary>
/// <param name="message">One sentence that names the field.</param>
internal sealed class BadTaskException(string message) : Exception(message);

/// <summary>Reads what clients submit: checks every field, and makes the task and its parts.</summary>
internal static class TaskSubmission
{
    public const int MostParts = 1000;
    private const int MostDependencies = 100;
    private const int MostNames = 100;
    private const int MostParamsBytes = 512 * 1024;
    private static readonly int[] Priorities = [1, 2, 5, 8, 10];
    private static readonly string[] Types = ["command", "query", "transfer", "sync", "batch", "workflow", "scheduled"];

    /// <summary>
    /// The task, then its parts, under ids that the server makes: what clients call a submission is a
    /// <see cref="SubmissionKey"/>.
    /// </summary>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    public static IReadOnlyList<TaskView> Read(TaskRequest request, DateTimeOffset now)
    {
        if (Complaint(request) is { } complaint)
            throw new BadTaskException(complaint);
        var task = new TaskView
        {
            TaskId = NewId(),
            Name = request.Name ?? request.Action ?? "task",
            Type = request.Type
                ?? (
                    request.Subtasks is not null ? "batch"
                    : request.Cron is not null || request.NotBefore is not null ? "scheduled"
                    : "command"
                ),
            Action = request.Action ?? "",
            Params = Given(request.Params),
            TargetDevice = request.TargetDevice,
            RequiredDevices = Some(request.RequiredDevices),
            PreferredDevices = Some(request.PreferredDevices),
            RequiredCapabilities = Some(request.RequiredCapabilities),
            Resources = request.Resources,
            Location = request.Location,
            Tags = Some(request.Tags),
            Priority = request.Priority ?? 5,
            TimeoutSeconds = request.TimeoutSeconds ?? 300,
            Retry = request.MaxAttempts is { } attempts
                ? (request.Retry ?? new RetryRequest()) with
                {
                    MaxAttempts = attempts,
                }
                : request.Retry,
            Strategy = request.Strategy ?? "least_loaded",
            Dependencies = Some(request.Dependencies),
            Gang = request.Gang,
            Cron = request.Cron,
            NotBefore = request.NotBefore,
            Hold = request.Hold,
            CallbackUrl = request.CallbackUrl,
            TraceParent = TraceParent.Current is { Length: > 0 } trace ? trace : null,
            CreatedAt = now,
            State = TaskState.Pending,
        };
        return request.Subtasks is { } parts ? WithParts(task, parts) : [task];
    }

    public static string NewId() => Guid.CreateVersion7().ToString("N");

    private static List<TaskView> WithParts(TaskView parent, IReadOnlyList<SubtaskRequest> requests)
    {
        var parts = new List<SubtaskView>();
        var byName = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < requests.Count; i++)
        {
            var name = requests[i].Name ?? $"{requests[i].Action}-{i + 1}";
            var id = $"{parent.TaskId}-{i + 1}";
            if (!byName.TryAdd(name, id))
                throw new BadTaskException($"'subtasks[{i}].name' is '{name}', which another part is called too.");
            parts.Add(new SubtaskView(id, name, null));
        }
        // What holds the whole back holds its parts back.
        var tasks = new List<TaskView>
        {
            parent with
            {
                Subtasks = parts,
                Dependencies = null,
                NotBefore = null,
                Hold = null,
                Params = null,
            },
        };
        for (var i = 0; i < requests.Count; i++)
        {
            var request = requests[i];
            var siblings = (request.DependsOn ?? []).Select(name => new DependencyRequest(
                byName.GetValueOrDefault(name)
                    ?? throw new BadTaskException(
                        $"'subtasks[{i}].depends_on' names '{name}', which is no part of this task."
                    )
            ));
            tasks.Add(
                parent with
                {
                    TaskId = parts[i].TaskId,
                    Name = parts[i].Name,
                    Type = "command",
                    Action = request.Action!,
                    Params = Given(request.Params),
                    TargetDevice = request.TargetDevice,
                    RequiredDevices = Some(request.RequiredDevices)
                        ?? (request.TargetDevice is null ? parent.RequiredDevices : null),
                    RequiredCapabilities = Some(request.RequiredCapabilities) ?? parent.RequiredCapabilities,
                    Resources = request.Resources ?? parent.Resources,
                    Dependencies = Some<DependencyRequest>([.. parent.Dependencies ?? [], .. siblings]),
                    ParentId = parent.TaskId,
                    Gang = null,
                    CallbackUrl = null,
                    Idempotency = null,
                }
            );
        }
        if (FindCycle(tasks) is { } cycle)
            throw new BadTaskException($"'subtasks': '{cycle}' depends on itself through 'depends_on'.");
        if (parent.Gang == true && requests.Any(request => request.DependsOn is { Count: > 0 }))
            throw new BadTaskException(
                "'gang': the parts start together, so none can depend on another with 'depends_on'."
            );
        return tasks;
    }

    // The name of a part that waits for itself; null: none does. Parts that wait for nothing are taken away until none
    // is left (Kahn, 1962).
    private static string? FindCycle(List<TaskView> tasks)
    {
        var parts = tasks
            .Where(task => task.ParentId is not null)
            .ToDictionary(task => task.TaskId, StringComparer.Ordinal);
        var waitsFor = parts.ToDictionary(
            part => part.Key,
            part => part.Value.Dependencies?.Count(one => parts.ContainsKey(one.TaskId!)) ?? 0,
            StringComparer.Ordinal
        );
        var waiting = parts
            .Values.SelectMany(part =>
                (part.Dependencies ?? [])
                    .Where(one => parts.ContainsKey(one.TaskId!))
                    .Select(one => (one.TaskId, Waits: part.TaskId))
            )
            .ToLookup(pair => pair.TaskId!, pair => pair.Waits, StringComparer.Ordinal);
        var free = new Queue<string>(waitsFor.Where(part => part.Value == 0).Select(part => part.Key));
        while (free.TryDequeue(out var done))
        {
            waitsFor.Remove(done);
            foreach (var next in waiting[done].Where(next => --waitsFor[next] == 0))
                free.Enqueue(next);
        }
        return waitsFor.Count == 0 ? null : parts[waitsFor.First().Key].Name;
    }

    private static JsonElement? Given(JsonElement? value) =>
        value is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } ? value : null;

    private static IReadOnlyList<T>? Some<T>(IReadOnlyList<T>? list) => list is { Count: > 0 } ? list : null;

    private static string? Complaint(TaskRequest request) =>
        request switch
        {
            { Name.Length: > 256 } => "'name' may have at most 256 characters.",
            { Type: { } type } when !Types.Contains(type) =>
                $"'type' is '{type}'; allowed are {string.Join(", ", Types)}.",
            { Action: null or "", Subtasks: null } => "'action' is required, for instance \"echo\"; or 'subtasks'.",
            { Action: { Length: > 0 }, Subtasks: not null } => "'action' and 'subtasks' cannot be in one task.",
            { Subtasks.Count: 0 or > MostParts } => $"'subtasks' must have 1 to {MostParts:N0} parts.",
            { Subtasks: not null, Params: not null } => "'params' belong to the parts when there are 'subtasks'.",
            { Subtasks: not null, TargetDevice: not null } =>
                "'target_device' belongs to the parts when there are 'subtasks'.",
            { Subtasks: not null, Cron: not null } => "'cron' works for tasks with one 'action', not with 'subtasks'.",
            { Subtasks: null, Gang: true } => "'gang' needs 'subtasks', which start together.",
            { Cron: not null, NotBefore: not null } => "'cron' and 'not_before' cannot be in one task.",
            { Cron: { } cron } when ReadCron(cron) is null =>
                $"'cron' is '{cron}', which is not a cron expression such as '*/5 * * * *'.",
            { Priority: { } priority } when !Priorities.Contains(priority) =>
                $"'priority' is {priority}; allowed are {string.Join(", ", Priorities)}.",
            { TimeoutSeconds: { } seconds } when seconds is not (> 0 and <= 86_400) =>
                "'timeout_seconds' must be more than 0 and at most 86,400.",
            { MaxAttempts: < 1 or > 20 } => "'max_attempts' must be 1 to 20.",
            { Strategy: { } strategy } when TaskMapping.ParseWord<PlacementStrategy>(strategy) is null =>
                $"'strategy' is '{strategy}'; allowed are {TaskMapping.Words<PlacementStrategy>()}.",
            { Location.Length: > 256 } => "'location' may have at most 256 characters.",
            { CallbackUrl: { } url }
                when !Uri.TryCreate(url, UriKind.Absolute, out var address)
                    || address.Scheme is not ("http" or "https")
                    || url.Length > 2048 => $"'callback_url' is '{url}', which is not an http address.",
            { Dependencies.Count: > MostDependencies } => $"'dependencies' may name at most {MostDependencies} tasks.",
            _ => Complaint(request.Retry)
                ?? Complaint(request.Resources, "resources")
                ?? ComplaintOfDependencies(request.Dependencies ?? [])
                ?? Action("action", request.Action)
                ?? Names("required_capabilities", request.RequiredCapabilities)
                ?? Names("tags", request.Tags)
                ?? Ids("required_devices", request.RequiredDevices)
                ?? Ids("preferred_devices", request.PreferredDevices)
                ?? Device("target_device", request.TargetDevice)
                ?? Size("params", request.Params)
                ?? ComplaintOfParts(request.Subtasks ?? []),
        };

    /// <summary>
    /// What a stored task may not hold, since it would fail when it is computed with; null: nothing is wrong.
    /// </summary>
    public static string? Complaint(TaskView task) =>
        task switch
        {
            { TimeoutSeconds: var seconds } when seconds is not (> 0 and <= 86_400) =>
                "'timeout_seconds' must be more than 0 and at most 86,400.",
            { Attempts: < 0 or > 1_000_000 } => "'attempts' is out of range.",
            _ => Complaint(task.Retry)
                ?? Complaint(task.Resources, "resources")
                ?? ComplaintOfDependencies(task.Dependencies ?? []),
        };

    private static string? Complaint(RetryRequest? retry) =>
        retry switch
        {
            null => null,
            { MaxAttempts: < 1 or > 20 } => "'retry.max_attempts' must be 1 to 20.",
            { DelaySeconds: { } delay } when delay is not (>= 0 and <= 3600) =>
                "'retry.delay_seconds' must be 0 to 3,600.",
            { MaxDelaySeconds: { } delay } when delay is not (>= 0 and <= 86_400) =>
                "'retry.max_delay_seconds' must be 0 to 86,400.",
            { Backoff: { } backoff } when TaskMapping.ParseWord<Backoff>(backoff) is null =>
                $"'retry.backoff' is '{backoff}'; allowed are {TaskMapping.Words<Backoff>()}.",
            _ => Names("retry.retry_on", retry.RetryOn),
        };

    /// <summary>Null when nothing is wrong.</summary>
    public static string? Complaint(ResourceAmounts? amounts, string field) =>
        amounts switch
        {
            null => null,
            { CpuPercent: var cpu } when cpu is not (>= 0 and <= 100) => $"'{field}.cpu_percent' must be 0 to 100.",
            { MemoryMib: var memory } when memory is not (>= 0 and <= 1e9) =>
                $"'{field}.memory_mib' must be 0 to 1,000,000,000.",
            { BandwidthKbps: var bandwidth } when bandwidth is not (>= 0 and <= 1e12) =>
                $"'{field}.bandwidth_kbps' must be 0 or more.",
            _ => null,
        };

    private static string? ComplaintOfDependencies(IReadOnlyList<DependencyRequest> dependencies)
    {
        for (var i = 0; i < dependencies.Count; i++)
        {
            var one = dependencies[i];
            if (one?.TaskId is not { Length: > 0 and <= 200 })
                return $"'dependencies[{i}].task_id' is required.";
            if (one.Condition is { } condition && TaskMapping.ParseWord<DependencyCondition>(condition) is null)
                return $"'dependencies[{i}].condition' is '{condition}'; allowed are "
                    + $"{TaskMapping.Words<DependencyCondition>()}.";
            if (one.TimeoutSeconds is { } seconds && seconds is not (> 0 and <= 31_536_000))
                return $"'dependencies[{i}].timeout_seconds' must be more than 0 and at most a year.";
        }
        return null;
    }

    private static string? ComplaintOfParts(IReadOnlyList<SubtaskRequest> parts)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            var field = $"subtasks[{i}]";
            if (parts[i] is not { } part)
                return $"'{field}' must be an object.";
            if (string.IsNullOrEmpty(part.Action))
                return $"'{field}.action' is required, for instance \"echo\".";
            if (
                (
                    Action($"{field}.action", part.Action)
                    ?? Device($"{field}.target_device", part.TargetDevice)
                    ?? Ids($"{field}.required_devices", part.RequiredDevices)
                    ?? Names($"{field}.required_capabilities", part.RequiredCapabilities)
                    ?? Names($"{field}.depends_on", part.DependsOn)
                    ?? Complaint(part.Resources, $"{field}.resources")
                    ?? Size($"{field}.params", part.Params)
                ) is
                { } complaint
            )
                return complaint;
            if (part.Name is { Length: > 256 or 0 })
                return $"'{field}.name' must have 1 to 256 characters.";
        }
        return null;
    }

    private static string? Action(string field, string? action) =>
        action is { Length: > 128 } ? $"'{field}' may have at most 128 characters." : null;

    private static string? Device(string field, string? device) =>
        device is not null && !DeviceRegistry.IsValidId(device)
            ? $"'{field}' is '{device}', which cannot be a device id."
            : null;

    private static string? Ids(string field, IReadOnlyList<string>? ids) =>
        ids is { Count: > MostNames } ? $"'{field}' may name at most {MostNames}."
        : ids?.FirstOrDefault(id => !DeviceRegistry.IsValidId(id)) is { } bad
            ? $"'{field}' has '{bad}', which cannot be a device id or type."
        : null;

    private static string? Names(string field, IReadOnlyList<string>? names) =>
        names is { Count: > MostNames } ? $"'{field}' may have at most {MostNames} entries."
        : names?.Any(name => name is not { Length: > 0 and <= 256 }) == true
            ? $"'{field}' has an entry that is empty or longer than 256 characters."
        : null;

    private static string? Size(string field, JsonElement? value) =>
        value is { ValueKind: not JsonValueKind.Undefined } given
        && JsonMarshal.GetRawUtf8Value(given).Length > MostParamsBytes
            ? $"'{field}' may have at most {MostParamsBytes:N0} bytes."
            : null;

    /// <summary>The first time after that moment; null: there is none, or it is no cron expression.</summary>
    public static DateTimeOffset? NextTime(string cron, DateTimeOffset after) =>
        ReadCron(cron)?.GetNextOccurrence(after, TimeZoneInfo.Utc);

    private static CronExpression? ReadCron(string cron)
    {
        try
        {
            return CronExpression.Parse(
                cron,
                cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 6
                    ? CronFormat.IncludeSeconds
                    : CronFormat.Standard
            );
        }
        catch (CronFormatException)
        {
            return null;
        }
    }
}
