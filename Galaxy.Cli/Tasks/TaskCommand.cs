using System.CommandLine;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.Tasks;

/// <summary><c>galaxy task submit|show|list|cancel</c>.</summary>
internal static class TaskCommand
{
    private static readonly JsonSerializerOptions Indented = new(GalaxyJson.Options) { WriteIndented = true };
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public static Command Create() =>
        new("task", "Submit tasks and look at them") { Submit(), Show(), List(), Cancel() };

    private static Command Submit()
    {
        var action = new Argument<string>("action") { Description = "What to do, for instance echo" };
        var parameters = new Option<string>("--params")
        {
            Description = "A JSON object",
            DefaultValueFactory = _ => "{}",
        };
        var device = new Option<string>("--device")
        {
            Description = "The device that shall do it (default: any that can)",
        };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds for one attempt",
            DefaultValueFactory = _ => 300,
        };
        var detach = new Option<bool>("--detach") { Description = "Print the task and do not wait for its result" };
        var command = new Command("submit", "Submit a task and wait for its result")
        {
            action,
            parameters,
            device,
            timeout,
            detach,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var request = new TaskRequest
                {
                    Action = parsed.GetValue(action),
                    Params = CliContext.ParseObject("--params", parsed.GetValue(parameters)!),
                    TargetDevice = parsed.GetValue(device),
                    TimeoutSeconds = parsed.GetValue(timeout),
                };
                var task = await context.PostAsync<TaskView>("/api/v1/tasks", request, cancellation);
                while (!task.IsOver && !parsed.GetValue(detach))
                {
                    await Task.Delay(Poll, cancellation);
                    task = await context.GetAsync<TaskView>($"/api/v1/tasks/{task.TaskId}", cancellation);
                }
                Print(task);
                return task.State is TaskState.Failed or TaskState.Timeout or TaskState.Cancelled ? 1 : 0;
            }
        );
        return command;
    }

    private static Command Show()
    {
        var id = new Argument<string>("id");
        var command = new Command("show", "Show one task") { id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                Print(
                    await CliContext
                        .Create(parsed)
                        .GetAsync<TaskView>($"/api/v1/tasks/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellation)
                );
                return 0;
            }
        );
        return command;
    }

    private static Command Cancel()
    {
        var id = new Argument<string>("id");
        var command = new Command("cancel", "Cancel a task, also on its device") { id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                Print(
                    await CliContext
                        .Create(parsed)
                        .PostAsync<TaskView>(
                            $"/api/v1/tasks/{Uri.EscapeDataString(parsed.GetValue(id)!)}/cancel",
                            new { },
                            cancellation
                        )
                );
                return 0;
            }
        );
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the newest tasks");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var tasks = await CliContext.Create(parsed).GetAsync<List<TaskView>>("/api/v1/tasks", cancellation);
                var table = new Table()
                    .Border(TableBorder.None)
                    .AddColumns("task", "action", "state", "device", "attempts", "created");
                foreach (var task in tasks)
                    table.AddRow(
                        task.TaskId,
                        Markup.Escape(task.Action),
                        task.State.ToString(),
                        Markup.Escape(task.DeviceId ?? ""),
                        $"{task.Attempts}",
                        $"{task.CreatedAt.ToLocalTime():HH:mm:ss}"
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    private static void Print(TaskView task) => Console.WriteLine(JsonSerializer.Serialize(task, Indented));
}
