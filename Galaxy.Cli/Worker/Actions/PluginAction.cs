using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>
/// A program of one's own as an action. It reads the parameters as JSON on its standard input and writes lines of JSON:
/// <c>{"progress":0.5}</c> as often as it likes, and <c>{"result":…}</c> or <c>{"error":"…"}</c> at the end.
/// </summary>
internal static class PluginAction
{
    /// <param name="text"><c>name=program [argument …]</c>, as given on the command line after <c>exec:</c>.</param>
    /// <exception cref="CliException">It is not of that form.</exception>
    public static WorkerAction Parse(string text)
    {
        var sign = text.IndexOf('=', StringComparison.Ordinal);
        var words = sign < 0 ? [] : text[(sign + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (sign is < 1 or > 64 || words.Length == 0)
            throw new CliException(
                $"--capability 'exec:{text}' is not of the form exec:name=program, for instance "
                    + "exec:thermo.read=./thermo.py."
            );
        // A path is meant from here, wherever the program is started.
        var program = words[0].Contains('/', StringComparison.Ordinal) ? Path.GetFullPath(words[0]) : words[0];
        return new WorkerAction(
            text[..sign],
            $"{Path.GetFileName(program)}, a program of this worker",
            """{"type":"object"}""",
            call => RunAsync(program, words[1..], call)
        );
    }

    private static async Task<JsonNode?> RunAsync(string program, string[] arguments, ActionCall call)
    {
        JsonNode? result = null;
        string? failure = null;
        var answered = false;
        var (code, output, error) = await Programs.RunAsync(
            program,
            arguments,
            null,
            call.Params.ToJsonString() + "\n",
            line =>
            {
                if (ParseLine(line) is not { } message)
                    return;
                if (message["progress"] is JsonValue value && value.TryGetValue<double>(out var progress))
                    call.Report(progress);
                if (message["error"] is { } complaint)
                    failure = complaint.ToString();
                if (message.ContainsKey("result"))
                    (answered, result) = (true, message["result"]?.DeepClone());
            },
            call.Cancellation
        );
        if (failure is not null || code != 0)
            throw new InvalidOperationException(
                failure ?? $"{Path.GetFileName(program)} ended with code {code}: {error.Trim()}"
            );
        // For a program that does not use this protocol, its output is the result.
        return answered ? result : JsonValue.Create(output.TrimEnd());
    }

    private static JsonObject? ParseLine(string line)
    {
        try
        {
            return line.StartsWith('{') ? JsonNode.Parse(line) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
