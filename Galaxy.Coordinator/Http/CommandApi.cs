using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Commands;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Groups;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/command</c>, and the parts that all commands have in common.</summary>
/// <param name="Mode"><c>sync</c> (default): answered when all devices have; <c>async</c>: at once.</param>
/// <param name="Timeout">In seconds, for each device; 30 by default.</param>
internal sealed record CommandRequest(
    string? RequestId,
    string? Command,
    IReadOnlyList<string>? Targets,
    JsonElement? Params,
    string? Mode,
    double? Timeout,
    string? CallbackUrl
);

/// <summary>One of <c>POST /execute/parallel</c>.</summary>
internal sealed record ParallelCommand(string? DeviceId, string? Command, JsonElement? Params);

/// <summary><c>POST /execute/parallel</c>.</summary>
internal sealed record ParallelRequest(
    string? RequestId,
    IReadOnlyList<ParallelCommand>? Commands,
    string? Mode,
    double? Timeout,
    string? CallbackUrl
);

/// <summary>Commands to named devices, to groups and to all devices.</summary>
internal static class CommandApi
{
    private const double StandardTimeout = 30;
    private static readonly string[] Modes = ["sync", "async"];

    public static void MapCommandApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("").WithTags("Commands").AddEndpointFilter(TaskErrors.ExplainAsync);
        group
            .MapPost("/api/v1/command", CommandAsync)
            .RequireLeader()
            .Produces<CommandAnswer>()
            .Produces<CommandAnswer>(202)
            .ProducesProblem(400)
            .ProducesProblem(422)
            .WithSummary("A command to several devices, with one honest result for each")
            .WithDescription(
                "'mode' sync answers when all devices have or their time is over; async answers at once "
                    + "with 202: ask for the status, or listen at /ws/status. "
                    + "A 'request_id' names the command for its client and is no id of a task: sent again "
                    + "with the same body it is answered with what became of the command, in either mode; "
                    + "with another body it is refused with 422."
            );
        group
            .MapGet("/api/v1/command/{id}/status", StatusAsync)
            .Produces<CommandAnswer>()
            .ProducesProblem(404)
            .WithSummary("What became of a command");
        group
            .MapPost("/execute/all", AllAsync)
            .RequireLeader()
            .Produces<CommandAnswer>()
            .Produces<CommandAnswer>(202)
            .ProducesProblem(400)
            .ProducesProblem(409)
            .ProducesProblem(422)
            .WithSummary("A command to every device that is connected");
        group
            .MapPost("/execute/parallel", ParallelAsync)
            .RequireLeader()
            .Produces<CommandAnswer>()
            .Produces<CommandAnswer>(202)
            .ProducesProblem(400)
            .ProducesProblem(422)
            .WithSummary("Different commands to different devices at once");
        foreach (var root in (string[])["/api/v1/groups", "/groups"])
        {
            group
                .MapPost(root + "/{id}/broadcast", BroadcastAsync)
                .RequireLeader()
                .Produces<CommandAnswer>()
                .Produces<CommandAnswer>(202)
                .ProducesProblem(400)
                .ProducesProblem(404)
                .ProducesProblem(409)
                .ProducesProblem(422)
                .WithSummary("A command to every device of a group");
        }
    }

    private static Task<IResult> CommandAsync(CommandRequest request, CommandRunner runner, HttpContext context) =>
        RunAsync(
            Order(request, "command"),
            request.Mode,
            () => Commands(request, "targets", request.Targets),
            runner,
            context
        );

    private static Task<IResult> AllAsync(CommandRequest request, CommandRunner runner, HttpContext context) =>
        RunAsync(
            Order(request, "all"),
            request.Mode,
            () =>
                runner.Connected is { Count: > 0 } connected
                    ? Commands(request, "devices", connected)
                    : throw new CommandRefusedException(409, "No device is connected."),
            runner,
            context
        );

    private static Task<IResult> BroadcastAsync(
        string id,
        CommandRequest request,
        GroupRegistry groups,
        CommandRunner runner,
        HttpContext context
    ) =>
        RunAsync(
            Order(request, "group " + id),
            request.Mode,
            () =>
                Commands(
                    request,
                    "devices",
                    groups.Get(id) switch
                    {
                        null => throw new CommandRefusedException(404, $"There is no group '{id}'."),
                        { Devices.Count: 0 } => throw new CommandRefusedException(
                            409,
                            $"The group '{id}' has no devices."
                        ),
                        var group => group.Devices,
                    }
                ),
            runner,
            context
        );

    private static Task<IResult> ParallelAsync(ParallelRequest request, CommandRunner runner, HttpContext context) =>
        RunAsync(
            new CommandOrder(
                request.RequestId,
                Body("parallel", request with { RequestId = null, Mode = null }),
                "parallel",
                request.Timeout ?? StandardTimeout,
                request.CallbackUrl
            ),
            request.Mode,
            () => Commands(request),
            runner,
            context
        );

    private static CommandOrder Order(CommandRequest request, string kind) =>
        new(
            request.RequestId,
            Body(kind, request with { RequestId = null, Mode = null }),
            request.Command is { Length: > 0 } name ? name : throw new BadTaskException("'command' is required."),
            request.Timeout ?? StandardTimeout,
            request.CallbackUrl
        );

    // Devices that are found when the command is accepted are no part of it: a repetition may find others.
    private static object Body(string kind, object request) => new { Kind = kind, Request = request };

    private static IReadOnlyList<DeviceCommand> Commands(
        CommandRequest request,
        string field,
        IReadOnlyList<string>? targets
    )
    {
        if (targets is not { Count: > 0 and <= CommandRunner.MostDevices })
            throw new BadTaskException($"'{field}' must name 1 to {CommandRunner.MostDevices:N0} devices.");
        if (targets.FirstOrDefault(id => !DeviceRegistry.IsValidId(id)) is { } bad)
            throw new BadTaskException($"'{field}' has '{bad}', which cannot be a device id.");
        return
        [
            .. targets
                .Distinct(StringComparer.Ordinal)
                .Select(id => new DeviceCommand(id, request.Command!, request.Params)),
        ];
    }

    private static IReadOnlyList<DeviceCommand> Commands(ParallelRequest request)
    {
        if (request.Commands is not { Count: > 0 and <= CommandRunner.MostDevices } commands)
            throw new BadTaskException($"'commands' must have 1 to {CommandRunner.MostDevices:N0} entries.");
        for (var i = 0; i < commands.Count; i++)
        {
            if (!DeviceRegistry.IsValidId(commands[i]?.DeviceId))
                throw new BadTaskException($"'commands[{i}].device_id' is required.");
            if (string.IsNullOrEmpty(commands[i].Command))
                throw new BadTaskException($"'commands[{i}].command' is required.");
        }
        if (commands.GroupBy(one => one.DeviceId).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new BadTaskException($"'commands' names '{twice.Key}' more than once; results are told by device.");
        return [.. commands.Select(one => new DeviceCommand(one.DeviceId!, one.Command!, one.Params))];
    }

    private static async Task<IResult> RunAsync(
        CommandOrder order,
        string? mode,
        Func<IReadOnlyList<DeviceCommand>> commands,
        CommandRunner runner,
        HttpContext context
    )
    {
        if (order.RequestId is { } requestId && !DeviceRegistry.IsValidId(requestId))
            throw new BadTaskException("'request_id' may have letters, digits, '-', '_', '.' and ':', at most 128.");
        if (mode is not null && !Modes.Contains(mode))
            throw new BadTaskException($"'mode' is '{mode}'; allowed are {string.Join(", ", Modes)}.");
        if (order.TimeoutSeconds is not (> 0 and <= 3600))
            throw new BadTaskException("'timeout' must be more than 0 and at most 3,600 seconds.");
        var known = await runner.FindAsync(order);
        TaskView command;
        try
        {
            command = known ?? await runner.StartAsync(order, commands());
        }
        catch (CommandRefusedException refused)
        {
            return Results.Problem(refused.Message, statusCode: refused.Status);
        }
        if (mode != "async")
            return Results.Ok(await runner.FinishAsync(command, context.RequestAborted));
        var answer = await runner.AnswerAsync(command.TaskId);
        return known is not null
            ? Results.Ok(answer)
            : Results.Accepted($"/api/v1/command/{command.RequestId ?? command.TaskId}/status", answer);
    }

    private static async Task<IResult> StatusAsync(string id, CommandRunner runner) =>
        await runner.ReadAsync(id) is { } answer
            ? Results.Ok(answer)
            : Results.Problem($"There is no command '{id}'.", statusCode: 404);
}

/// <summary>No device is there that a command could be given to.</summary>
internal sealed class CommandRefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}
