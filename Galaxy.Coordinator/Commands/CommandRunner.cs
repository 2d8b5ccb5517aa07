using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Commands;

/// <summary>What one device is to do.</summary>
internal sealed record DeviceCommand(string DeviceId, string Command, JsonElement? Params);

/// <summary>A command as its client asks for it.</summary>
/// <param name="RequestId">What the client calls it: with the same body it stands for the same command. Null: nothing
/// is known of a repetition.</param>
/// <param name="Body">What the request id stands for: the request, without how its answer is waited for.</param>
/// <param name="TimeoutSeconds">For each device.</param>
internal sealed record CommandOrder(
    string? RequestId,
    object Body,
    string Name,
    double TimeoutSeconds,
    string? CallbackUrl
);

/// <summary>
/// Commands to named devices: one durable task that stands for the command, with a part for each device. The part fails
/// at once if its device is unknown or offline, and fails if the device disconnects before it answers: a command is not
/// kept for a later connection.
/// </summary>
internal sealed class CommandRunner(
    TaskSubmitter submitter,
    TaskStore store,
    TaskFeed feed,
    DeviceRegistry registry,
    DeviceHub hub,
    TimeProvider time
)
{
    public const int MostDevices = TaskSubmission.MostParts;
    private const int Priority = 8;
    private const string Type = "command";

    /// <summary>After the devices' own time is over, for the answer to be written.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(3);

    /// <summary>The command that was accepted with this request id before; null: none was.</summary>
    /// <exception cref="KeyReusedException">The request id stands for another body.</exception>
    public async Task<TaskView?> FindAsync(CommandOrder order) =>
        KeyOf(order) is { } key && (await store.ReadByKeyAsync([key.Name]))[0] is { } known ? key.Match(known) : null;

    /// <summary>One that was accepted with the same request id before stands for the same command.</summary>
    /// <exception cref="BadTaskException">A field is wrong.</exception>
    /// <exception cref="KeyReusedException">The request id stands for another body.</exception>
    public async Task<TaskView> StartAsync(CommandOrder order, IReadOnlyList<DeviceCommand> commands)
    {
        if (await FindOfVersionBeforeAsync(order, commands) is { } known)
            return known;
        var tasks = Read(order, commands);
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in tasks.Skip(1))
        {
            if (registry.Get(part.TargetDevice!) is null)
                refused[part.TaskId] = $"there is no device '{part.TargetDevice}'";
            else if (hub.Find(part.TargetDevice!) is null)
                refused[part.TaskId] = $"the device '{part.TargetDevice}' is not connected";
        }
        return (await submitter.SubmitAsync(tasks, KeyOf(order), refused)).Task;
    }

    private static SubmissionKey? KeyOf(CommandOrder order) =>
        order.RequestId is { } id ? SubmissionKey.OfCommand(id, order.Body) : null;

    private IReadOnlyList<TaskView> Read(CommandOrder order, IReadOnlyList<DeviceCommand> commands)
    {
        var tasks = TaskSubmission.Read(
            new TaskRequest
            {
                Name = order.Name,
                Type = Type,
                TimeoutSeconds = order.TimeoutSeconds,
                MaxAttempts = 1,
                Priority = Priority,
                CallbackUrl = order.CallbackUrl,
                Subtasks =
                [
                    .. commands.Select(one => new SubtaskRequest
                    {
                        Name = one.DeviceId,
                        Action = one.Command,
                        Params = one.Params,
                        TargetDevice = one.DeviceId,
                    }),
                ],
            },
            time.GetUtcNow()
        );
        var requestId = order.RequestId ?? tasks[0].TaskId;
        return [.. tasks.Select(task => task with { RequestId = requestId })];
    }

    // The version before made the request id the id of the task. Such a command is known by its content, so that no
    // other task is taken for it.
    private async Task<TaskView?> FindOfVersionBeforeAsync(CommandOrder order, IReadOnlyList<DeviceCommand> commands)
    {
        if (
            order.RequestId is not { } id
            || await store.ReadAsync(id)
                is not {
                    Subtasks: { } parts,
                    Type: Type,
                    RequestId: null,
                    Idempotency: null,
                    Priority: Priority,
                    Retry.MaxAttempts: 1
                } task
            || task.Name != order.Name
            || parts.Count != commands.Count
        )
            return null;
        var stored = await store.ReadManyAsync([.. parts.Select(part => part.TaskId)]);
        return stored.Count == commands.Count && stored.Zip(commands).All(pair => IsSame(pair.First, pair.Second))
            ? task
            : null;
    }

    private static bool IsSame(TaskView part, DeviceCommand command) =>
        part.TargetDevice == command.DeviceId
        && part.Action == command.Command
        && (part.Params, command.Params) switch
        {
            ({ } stored, { } given) => JsonElement.DeepEquals(stored, given),
            (null, { } given) => given.ValueKind == JsonValueKind.Null,
            ({ }, null) => false,
            (null, null) => true,
        };

    /// <summary>Waits until all devices have answered or their time is over.</summary>
    public async Task<CommandAnswer> FinishAsync(TaskView command, CancellationToken cancellationToken)
    {
        using var subscription = feed.Subscribe(task => task.TaskId == command.TaskId && task.IsOver);
        if ((await store.ReadAsync(command.TaskId)) is { IsOver: false })
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(command.TimeoutSeconds) + Slack);
            try
            {
                await foreach (var _ in subscription.ReadAllAsync(timeout.Token))
                    break;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // What is known by now is the answer.
            }
        }
        return await AnswerAsync(command.TaskId) ?? await AnswerOfAsync(command);
    }

    /// <summary>What became of the command with this request id. Null: there is none.</summary>
    public async Task<CommandAnswer?> ReadAsync(string requestId) =>
        (await store.ReadByKeyAsync([SubmissionKey.NameOfCommand(requestId)]))[0] is { } command
            ? await AnswerOfAsync(command)
            : await AnswerAsync(requestId);

    /// <summary>
    /// What became of the command that this task stands for: its client named nothing, or the version before accepted
    /// it. Null: it stands for none.
    /// </summary>
    public async Task<CommandAnswer?> AnswerAsync(string taskId) =>
        await store.ReadAsync(taskId) is { Subtasks: not null, Type: Type } command
            ? await AnswerOfAsync(command)
            : null;

    private async Task<CommandAnswer> AnswerOfAsync(TaskView command) =>
        CommandAnswer.Of(command, await store.ReadManyAsync([.. (command.Subtasks ?? []).Select(part => part.TaskId)]));

    /// <summary>The ids of all devices that are connected now.</summary>
    public IReadOnlyList<string> Connected => [.. hub.DeviceIds.Order(StringComparer.Ordinal)];
}
