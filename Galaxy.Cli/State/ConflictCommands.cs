using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary><c>galaxy state conflicts</c> and <c>galaxy state resolve</c>.</summary>
internal static class ConflictCommands
{
    public static Command Conflicts()
    {
        var command = new Command("conflicts", "Entries that were written by people who did not know of each other");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var conflicts = await context.GetAsync<List<StateConflict>>(
                    StateCommand.Path + "/conflicts",
                    cancellation
                );
                if (conflicts.Count == 0)
                    AnsiConsole.WriteLine("There is none.");
                foreach (var conflict in conflicts)
                {
                    AnsiConsole.MarkupLineInterpolated($"[bold]{conflict.Namespace}/{conflict.Key}[/]");
                    foreach (var sibling in conflict.Siblings)
                    {
                        AnsiConsole.MarkupLineInterpolated(
                            $"  [yellow]{sibling.Write}[/]  {sibling.WrittenAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}  {(sibling.Deleted ? "deleted" : sibling.Value?.ToJsonString(GalaxyJson.Options) ?? sibling.ValueBase64)}"
                        );
                    }
                }
                return 0;
            }
        );
        return command;
    }

    public static Command Resolve()
    {
        var (ns, key) = (StateCommand.Namespace(), StateCommand.Key());
        var choose = new Option<string?>("--choose")
        {
            Description = "Keep this one, named as 'galaxy state conflicts' names it",
        };
        var value = new Option<string?>("--value") { Description = "Keep neither: this JSON instead" };
        var command = new Command("resolve", "Decide a conflict, everywhere") { ns, key, choose, value };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                JsonNode? replacement = null;
                try
                {
                    replacement = parsed.GetValue(value) is { } text ? JsonNode.Parse(text) : null;
                }
                catch (JsonException bad)
                {
                    throw new CliException($"--value is not JSON: {bad.Message}");
                }
                var path = StateCommand.Of("conflicts", parsed.GetValue(ns)! + "/" + parsed.GetValue(key)!);
                var entry = await context.PostAsync<StateEntryView>(
                    path,
                    new { choose = parsed.GetValue(choose), value = replacement },
                    cancellation
                );
                AnsiConsole.MarkupLineInterpolated(
                    $"[bold]{entry.Namespace}/{entry.Key}[/] is decided: {StateCommand.Text(entry)}"
                );
                return 0;
            }
        );
        return command;
    }
}
