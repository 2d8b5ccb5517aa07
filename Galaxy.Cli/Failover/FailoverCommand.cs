using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Galaxy.Cli.Failover;

/// <summary><c>galaxy failover [--to node]</c>.</summary>
internal static class FailoverCommand
{
    public static Command Create()
    {
        var to = new Option<string>("--to") { Description = "The node that shall lead (default: the first in rank)" };
        var command = new Command("failover", "Hand leadership over now") { to };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var done = await context.PostAsync<JsonObject>(
                    "/api/v1/failover",
                    new { to = parsed.GetValue(to) },
                    cancellation
                );
                AnsiConsole.MarkupLineInterpolated(
                    $"[bold]{done["from"]}[/] handed over to [bold green]{done["to"]}[/]"
                );
                return 0;
            }
        );
        return command;
    }
}
