using System.Text.Json.Nodes;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>
/// Programs by name, without a shell in between: what is allowed is started, with exactly the given arguments.
/// </summary>
/// <param name="allowed">Names or paths; empty: every program.</param>
/// <param name="folder">Where they are started.</param>
internal sealed class ShellAction(IReadOnlyCollection<string> allowed, string folder)
{
    public WorkerAction Action =>
        new(
            "shell.run",
            allowed.Count == 0
                ? "Runs a program on this machine"
                : $"Runs a program on this machine: {string.Join(", ", allowed)}",
            """{"type":"object","required":["command"],"properties":{"command":"""
                + """{"type":"string","description":"the program; arguments go into args"},"args":"""
                + """{"type":"array","items":{"type":"string"}},"input":{"type":"string"}}}""",
            RunAsync
        );

    private async Task<JsonNode?> RunAsync(ActionCall call)
    {
        var program = call.Text("command");
        if (allowed.Count > 0 && !allowed.Contains(program))
            throw new ArgumentException($"'command' is '{program}'; this worker allows {string.Join(", ", allowed)}");
        var arguments = call.Params["args"] switch
        {
            null => [],
            JsonArray list => list.Select(item => item?.ToString() ?? "").ToArray(),
            _ => throw new ArgumentException("'args' must be a list of texts"),
        };
        var (code, output, error) = await Programs.RunAsync(
            program,
            arguments,
            folder,
            call.OptionalText("input"),
            null,
            call.Cancellation
        );
        if (code != 0)
            throw new InvalidOperationException(
                $"{program} ended with code {code}: {(error.Length > 0 ? error : output).Trim()}"
            );
        return new JsonObject
        {
            ["exit_code"] = code,
            ["stdout"] = output,
            ["stderr"] = error,
        };
    }
}
