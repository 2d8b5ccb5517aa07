using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary><c>galaxy state export | import</c>: a namespace as lines of JSON, one entry each.</summary>
internal static class TransferCommands
{
    public static Command Export()
    {
        var ns = StateCommand.Namespace();
        var command = new Command("export", "Print a namespace as lines of JSON") { ns };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                await foreach (var entry in StateCommand.ReadAsync(context, parsed.GetValue(ns)!, "", cancellation))
                {
                    var line = new JsonObject
                    {
                        ["key"] = entry.Key,
                        ["policy"] = entry.Policy,
                        ["priority"] = entry.Priority,
                    };
                    line[entry.ValueBase64 is null ? "value" : "value_base64"] = entry.ValueBase64 is { } base64
                        ? base64
                        : entry.Value?.DeepClone();
                    Console.WriteLine(line.ToJsonString());
                }
                return 0;
            }
        );
        return command;
    }

    public static Command Import()
    {
        var ns = StateCommand.Namespace();
        var file = new Argument<FileInfo>("file")
        {
            Description = "Lines of JSON as 'galaxy state export' prints them",
        };
        var command = new Command("import", "Write entries from a file") { ns, file };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var (path, count) = (parsed.GetValue(file)!, 0);
                if (!path.Exists)
                    throw new CliException($"There is no file '{path.FullName}'.");
                await foreach (var text in File.ReadLinesAsync(path.FullName, cancellation))
                {
                    count++;
                    var (key, bytes, contentType, query) = Parse(text, count);
                    await context.PutBytesAsync<StateEntryView>(
                        StateCommand.Of(parsed.GetValue(ns)!, key) + query,
                        bytes,
                        contentType,
                        cancellation
                    );
                }
                AnsiConsole.MarkupLineInterpolated($"{count} entries are written to [bold]{parsed.GetValue(ns)}[/]");
                return 0;
            }
        );
        return command;
    }

    private static (string Key, byte[] Value, string ContentType, string Query) Parse(string text, int line)
    {
        try
        {
            var entry = JsonNode.Parse(text) as JsonObject ?? throw new CliException($"Line {line} is no JSON object.");
            var query =
                $"?policy={Uri.EscapeDataString((string?)entry["policy"] ?? "last_write_wins")}&priority={(int?)entry["priority"] ?? 0}";
            var key = (string?)entry["key"] ?? throw new CliException($"Line {line} has no 'key'.");
            return (string?)entry["value_base64"] is { } base64
                ? (key, Convert.FromBase64String(base64), "application/octet-stream", query)
                : (
                    key,
                    JsonSerializer.SerializeToUtf8Bytes(entry["value"], GalaxyJson.Options),
                    "application/json",
                    query
                );
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException or FormatException)
        {
            throw new CliException($"Line {line} cannot be read: {bad.Message}");
        }
    }
}
