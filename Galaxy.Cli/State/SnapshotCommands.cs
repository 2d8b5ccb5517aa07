using System.CommandLine;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary><c>galaxy state snapshots | snapshot | restore</c>.</summary>
internal static class SnapshotCommands
{
    public static Command Snapshots()
    {
        var command = new Command("snapshots", "The snapshots of the node that answers, newest first");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var table = new Table()
                    .Border(TableBorder.Rounded)
                    .AddColumns("Name", "Taken", "Entries", "Size", "SHA-256");
                foreach (
                    var snapshot in await context.GetAsync<List<SnapshotView>>(
                        StateCommand.Path + "/snapshots",
                        cancellation
                    )
                )
                {
                    table.AddRow(
                        snapshot.Name,
                        $"{snapshot.TakenAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}",
                        $"{snapshot.Entries}",
                        $"{snapshot.Bytes / 1024.0:0.#} KiB",
                        snapshot.Problem is { } problem
                            ? $"[red]damaged: {Markup.Escape(problem)}[/]"
                            : snapshot.Sha256[..16] + "…"
                    );
                }
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    public static Command Snapshot()
    {
        var command = new Command("snapshot", "Take a snapshot now");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var taken = await context.PostAsync<SnapshotView>(
                    StateCommand.Path + "/snapshots",
                    new { },
                    cancellation
                );
                AnsiConsole.MarkupInterpolated(
                    $"[bold]{taken.Name}[/]: {taken.Entries} entries, {taken.Bytes / 1024.0:0.#} KiB, "
                );
                AnsiConsole.MarkupLineInterpolated($"SHA-256 {taken.Sha256}");
                return 0;
            }
        );
        return command;
    }

    public static Command Restore()
    {
        var name = new Argument<string>("snapshot") { Description = "Its name, from 'galaxy state snapshots'" };
        var only = new Option<string[]>("--namespace")
        {
            Description = "Only this namespace; may be given several times",
        };
        var command = new Command("restore", "Set the state back to a snapshot, on all nodes") { name, only };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var namespaces = parsed.GetValue(only) is { Length: > 0 } chosen ? chosen : null;
                var restored = await context.PostAsync<JsonObject>(
                    StateCommand.Path + "/restore",
                    new { snapshot = parsed.GetValue(name), namespaces },
                    cancellation
                );
                AnsiConsole.MarkupLineInterpolated(
                    $"{restored["written"]} entries are set back, {restored["deleted"]} that came later are deleted"
                );
                return 0;
            }
        );
        return command;
    }
}
