using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Commands;

/// <summary>What one device is to do.</summary>
internal sealed record DeviceCommand(string DeviceId, string Command, JsonElement? Params);

/// <summary>
/// Commands to named devices: one durable task that stands for the command, with a part for each device. A device that is unknown or away has failed at
/// once, and so has one that goes before it answers: nobody waits for a command to be done some other day.
/// </summary>
internal sealed class CommandRunner(TaskSubmitter submitter, TaskStore store, TaskFeed feed, DeviceRegistry registry, DeviceHub hub, TimeProvider time)
{
    public const int MostDevices = TaskSubmission.MostParts;

    /// <summary>After the devices' own time is over, for the answer to be written.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(3);

    /// <param name="requestId">One that was used before stands for the same command. Null: one is made.</param>
    /// <param name="timeout">In seconds, for each device.</param>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    public async Task<TaskView> StartAsync(string? requestId, string name, IReadOnlyList<DeviceCommand> commands, double timeout, string? callbackUrl = null)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        var request = new TaskRequest
        {
            Name = name,
            Type = "command",
            TimeoutSeconds = timeout,
            MaxAttempts = 1,
            Priority = 8,
            CallbackUrl = callbackUrl,
            Subtasks = [.. commands.Select(one => new SubtaskRequest { Name = one.DeviceId, Action = one.Command, Params = one.Params, TargetDevice = one.DeviceId })],
        };
        var tasks = TaskSubmission.Read(request, time.GetUtcNow(), requestId);
        foreach (var part in tasks.Skip(1))
        {
            if (registry.Get(part.TargetDevice!) is null)
                refused[part.TaskId] = $"there is no device '{part.TargetDevice}'";
            else if (hub.Find(part.TargetDevice!) is null)
                refused[part.TaskId] = $"the device '{part.TargetDevice}' is not connected";
        }
        return (await submitter.SubmitAsync(tasks, refused: refused)).Task;
    }

    /// <summary>Waits until all devices have answered or their time is over.</summary>
    public async Task<CommandAnswer> FinishAsync(TaskView command, CancellationToken cancellation)
    {
        using var subscription = feed.Subscribe(task => task.TaskId == command.TaskId && task.IsOver);
        if ((await store.ReadAsync(command.TaskId)) is { IsOver: false })
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(TimeSpan.FromSeconds(command.TimeoutSeconds) + Slack);
            try
            {
                await foreach (var _ in subscription.ReadAllAsync(patience.Token))
                    break;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // What is known by now is the answer.
            }
        }
        return (await ReadAsync(command.TaskId))!;
    }

    /// <summary>Null: there is no such command.</summary>
    public async Task<CommandAnswer?> ReadAsync(string requestId)
    {
        if (await store.ReadAsync(requestId) is not { Subtasks: { } parts } command)
            return null;
        return CommandAnswer.Of(command, await store.ReadManyAsync([.. parts.Select(part => part.TaskId)]));
    }

    /// <summary>The ids of all devices that are connected now.</summary>
    public IReadOnlyList<string> Connected => [.. hub.DeviceIds.Order(StringComparer.Ordinal)];
}
