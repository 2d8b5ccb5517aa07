using System.CommandLine;
using System.Text.Json;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.Routing;

/// <summary><c>galaxy tools</c> and <c>galaxy invoke</c>: list the cluster's capabilities, and invoke one.</summary>
internal static class ToolCommands
{
    private static readonly JsonSerializerOptions Indented = new(GalaxyJson.Options) { WriteIndented = true };

    public static Command CreateTools()
    {
        var words = new Argument<string[]>("words")
        {
            Description = "Show only what has all of these words",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("tools", "List what the cluster can do") { words };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var found = await CliContext
                    .Create(parsed)
                    .PostAsync<JsonElement>(
                        "/tools/discover",
                        new { query = string.Join(' ', parsed.GetValue(words) ?? []), limit = 1000 },
                        cancellation
                    );
                var table = new Table().Border(TableBorder.None).AddColumns("capability", "what it does", "who");
                foreach (var tool in found.GetProperty("tools").EnumerateArray())
                {
                    table.AddRow(
                        Markup.Escape(tool.GetProperty("capability").GetString()!),
                        Markup.Escape(tool.GetProperty("description").GetString()!),
                        Markup.Escape(
                            string.Join(
                                ", ",
                                tool.GetProperty("nodes").EnumerateArray().Select(node => node.GetString())
                            )
                        )
                    );
                }
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    public static Command CreateInvoke()
    {
        var capability = new Argument<string>("capability")
        {
            Description = "What is to be done, for instance system.info",
        };
        var parameters = new Option<string>("--params")
        {
            Description = "A JSON object",
            DefaultValueFactory = _ => "{}",
        };
        var target = new Option<string>("--on") { Description = "Who is to do it (default: the best one)" };
        var timeout = new Option<double>("--timeout") { Description = "Seconds", DefaultValueFactory = _ => 300 };
        var command = new Command("invoke", "Have something done by whoever can do it best")
        {
            capability,
            parameters,
            target,
            timeout,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(
                    parsed,
                    TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(timeout), 0, 3600) + 10)
                );
                var result = await context.PostAsync<JsonElement>(
                    "/tools/execute",
                    new
                    {
                        tool = parsed.GetValue(capability),
                        arguments = CliContext.ParseObject("--params", parsed.GetValue(parameters)!),
                        node_id = parsed.GetValue(target),
                        timeout = parsed.GetValue(timeout),
                    },
                    cancellation
                );
                var who = result.TryGetProperty("node_id", out var node) ? node.GetString() : null;
                if (!result.GetProperty("success").GetBoolean())
                    throw new CliException(
                        $"{(who is null ? "" : who + ": ")}{result.GetProperty("error").GetString()}"
                    );
                // The result alone on standard output, for the next program.
                await Console.Error.WriteLineAsync($"done by {who}");
                Console.WriteLine(
                    result.TryGetProperty("result", out var value) ? JsonSerializer.Serialize(value, Indented) : "null"
                );
                return 0;
            }
        );
        return command;
    }
}
