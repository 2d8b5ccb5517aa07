using System.CommandLine;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.Config;

/// <summary><c>galaxy config history | diff | rollback</c>.</summary>
internal static class HistoryCommands
{
    public static Command History()
    {
        var (document, node) = (ConfigCommand.Document(), ConfigCommand.Node());
        var command = new Command("history", "The last 50 versions of a document, newest first") { document, node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var table = new Table().Border(TableBorder.Rounded).AddColumns("Version", "When", "Change", "From");
                foreach (
                    var version in await context.GetAsync<List<ConfigVersion>>(
                        ConfigCommand.Of(parsed.GetValue(document)!, parsed.GetValue(node), "/history"),
                        cancellation
                    )
                )
                    table.AddRow(
                        Markup.Escape(version.Version),
                        $"{version.At.ToLocalTime():yyyy-MM-dd HH:mm:ss}",
                        version.Change,
                        Markup.Escape(version.By)
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    public static Command Diff()
    {
        var (document, node) = (ConfigCommand.Document(), ConfigCommand.Node());
        var from = new Argument<string>("from") { Description = "A version, from 'galaxy config history'" };
        var to = new Argument<string?>("to")
        {
            Description = "Another (none: the present document)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("diff", "What differs between two versions") { document, from, to, node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var query =
                    $"from={Uri.EscapeDataString(parsed.GetValue(from)!)}{(parsed.GetValue(to) is { } other ? "&to=" + Uri.EscapeDataString(other) : "")}";
                var differences = await context.GetAsync<List<ConfigDifference>>(
                    ConfigCommand.Of(parsed.GetValue(document)!, parsed.GetValue(node), "/diff", query),
                    cancellation
                );
                if (differences.Count == 0)
                    AnsiConsole.WriteLine("They are the same.");
                foreach (var difference in differences)
                {
                    AnsiConsole.MarkupLineInterpolated(
                        $"[bold]{(difference.Path.Length == 0 ? "the whole document" : difference.Path)}[/]"
                    );
                    if (difference.From is { } before)
                        AnsiConsole.MarkupLineInterpolated($"  [red]- {before.ToJsonString(GalaxyJson.Options)}[/]");
                    if (difference.To is { } after)
                        AnsiConsole.MarkupLineInterpolated($"  [green]+ {after.ToJsonString(GalaxyJson.Options)}[/]");
                }
                return 0;
            }
        );
        return command;
    }

    public static Command Rollback()
    {
        var (document, node) = (ConfigCommand.Document(), ConfigCommand.Node());
        var version = new Argument<string>("version") { Description = "From 'galaxy config history'" };
        var command = new Command("rollback", "Set a document back to an earlier version, on all nodes")
        {
            document,
            version,
            node,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var view = await context.PostAsync<ConfigView>(
                    ConfigCommand.Of(parsed.GetValue(document)!, parsed.GetValue(node), "/rollback"),
                    new { version = parsed.GetValue(version) },
                    cancellation
                );
                AnsiConsole.MarkupLineInterpolated($"[bold]{view.Name}[/] is as it was in {parsed.GetValue(version)}");
                return 0;
            }
        );
        return command;
    }
}
