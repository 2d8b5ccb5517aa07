using System.CommandLine;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.Failover;

/// <summary>
/// <c>galaxy promote</c>, <c>galaxy primary</c>, <c>galaxy secondary</c>, <c>galaxy drain</c>: which node leads, and
/// which nodes lead next.
/// </summary>
internal static class OrderCommands
{
    private const string Path = "/api/v1/failover";

    public static Command CreatePromote()
    {
        var node = new Argument<string>("node") { Description = "The coordinator that shall be primary and lead" };
        var command = new Command("promote", "Make a coordinator the primary and hand leadership over to it") { node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var name = parsed.GetValue(node);
                await context.PostAsync<object>(Path + "/promote", new { node_id = name }, cancellation);
                AnsiConsole.MarkupLineInterpolated($"[bold green]{name}[/] is the primary and leads");
                return 0;
            }
        );
        return command;
    }

    public static Command CreatePrimary()
    {
        var node = new Argument<string?>("node")
        {
            Description = "The coordinator that shall stand first; nothing: show the order",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "primary",
            "Show or say who stands first when a leader is needed; leadership does not move"
        )
        {
            node,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                Show(
                    parsed.GetValue(node) is { } name
                        ? await context.PutAsync<FailoverStatus>(
                            Path + "/primary",
                            new { node_id = name },
                            cancellation
                        )
                        : await context.GetAsync<FailoverStatus>(Path, cancellation)
                );
                return 0;
            }
        );
        return command;
    }

    public static Command CreateSecondary() =>
        new("secondary", "Say who stands after the primary")
        {
            Change("add", "Add a coordinator at the end", (context, name, cancellation) =>
                context.PostAsync<FailoverStatus>(Path + "/secondaries", new { node_id = name }, cancellation)
            ),
            Change("remove", "Take a coordinator out", (context, name, cancellation) =>
                context.DeleteAsync<FailoverStatus>($"{Path}/secondaries/{Uri.EscapeDataString(name)}", cancellation)
            ),
        };

    public static Command CreateDrain()
    {
        var node = new Argument<string>("node") { Description = "The coordinator's id" };
        var undo = new Option<bool>("--undo") { Description = "Let it stand for leadership again" };
        var command = new Command(
            "drain",
            "Before maintenance: a coordinator hands leadership over and takes none until --undo"
        )
        {
            node,
            undo,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var path = $"{Path}/drained/{Uri.EscapeDataString(parsed.GetValue(node)!)}";
                Show(
                    await (
                        parsed.GetValue(undo)
                            ? context.DeleteAsync<FailoverStatus>(path, cancellation)
                            : context.PutAsync<FailoverStatus>(path, new { }, cancellation)
                    )
                );
                return 0;
            }
        );
        return command;
    }

    private static Command Change(
        string verb,
        string description,
        Func<CliContext, string, CancellationToken, Task<FailoverStatus>> change
    )
    {
        var node = new Argument<string>("node") { Description = "The coordinator's id" };
        var command = new Command(verb, description) { node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                Show(await change(CliContext.Create(parsed), parsed.GetValue(node)!, cancellation));
                return 0;
            }
        );
        return command;
    }

    private static void Show(FailoverStatus status)
    {
        AnsiConsole.MarkupLineInterpolated($"leader      [bold green]{status.Leader?.NodeId ?? "none"}[/]");
        AnsiConsole.MarkupLineInterpolated($"primary     {status.Settings.Primary ?? "none"}");
        AnsiConsole.MarkupLineInterpolated($"secondaries {Text(status.Settings.Secondaries)}");
        AnsiConsole.MarkupLineInterpolated($"order       {Text(status.Order)}");
        if (status.Settings.Drained.Count > 0)
            AnsiConsole.MarkupLineInterpolated($"drained     [yellow]{Text(status.Settings.Drained)}[/]");
        if (status.Failed.Count > 0)
            AnsiConsole.MarkupLineInterpolated(
                $"failed      [red]{string.Join(", ", status.Failed.Select(failed => $"{failed.NodeId} ({failed.Reason}, {failed.At.ToLocalTime():HH:mm:ss})"))}[/]"
            );
        if (status.Demoted.Count > 0)
            AnsiConsole.MarkupLineInterpolated(
                $"demoted     [yellow]{Text(status.Demoted)}[/] (lost the lease too often; stands last for a while)"
            );
        foreach (var check in status.Checks)
            AnsiConsole.MarkupLineInterpolated(
                $"check       {check.Name} on {status.NodeId}: {(check.Healthy ? "passes" : "FAILS")} {check.LastError}"
            );
    }

    private static string Text(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
