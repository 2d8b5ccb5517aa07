using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.Config;

/// <summary><c>galaxy config …</c>: the configuration of the whole cluster.</summary>
internal static class ConfigCommand
{
    public const string Path = "/api/v1/config";
    private static readonly JsonSerializerOptions Indented = new(GalaxyJson.Options) { WriteIndented = true };

    public static Command Create() =>
        new("config", "Look at and change the configuration of the whole cluster")
        {
            List(),
            Get(),
            Set(),
            Unset(),
            Schema(),
            HistoryCommands.History(),
            HistoryCommands.Diff(),
            HistoryCommands.Rollback(),
        };

    public static Argument<string> Document() =>
        new("document") { Description = "The document, for instance providers" };

    public static Option<string?> Node() => new("--node") { Description = "Only this node's override" };

    public static string Of(string document, string? node, string action = "", string query = "") =>
        $"{Path}/{Uri.EscapeDataString(document)}{action}?{query}{(node is null ? "" : "&node=" + Uri.EscapeDataString(node))}";

    private static Command List()
    {
        var node = Node();
        var command = new Command("list", "List the documents") { node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var table = new Table().Border(TableBorder.Rounded).AddColumns("Document", "Changed", "What it is");
                foreach (
                    var document in await context.GetAsync<List<ConfigView>>(
                        Path + (parsed.GetValue(node) is { } only ? "?node=" + Uri.EscapeDataString(only) : ""),
                        cancellation
                    )
                )
                    table.AddRow(
                        Markup.Escape(document.Name),
                        document.UpdatedAt is { } at ? $"{at.ToLocalTime():yyyy-MM-dd HH:mm:ss}" : "not set",
                        Markup.Escape(document.Description)
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    private static Command Get()
    {
        var (document, node) = (Document(), Node());
        var command = new Command("get", "Print a document") { document, node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var view = await context.GetAsync<ConfigView>(
                    Of(parsed.GetValue(document)!, parsed.GetValue(node)),
                    cancellation
                );
                Console.WriteLine(view.Value?.ToJsonString(Indented) ?? "{}");
                return 0;
            }
        );
        return command;
    }

    private static Command Set()
    {
        var path = new Argument<string>("path")
        {
            Description = "A document, or a place in it: providers, providers.home.base_url",
        };
        var value = new Argument<string>("value") { Description = "JSON, or text as it is; @file reads a file" };
        var node = Node();
        var command = new Command("set", "Change a document or a place in it, on all nodes") { path, value, node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var (document, patch) = Patch(
                    parsed.GetValue(path)!,
                    await ReadAsync(parsed.GetValue(value)!, cancellation)
                );
                var url = Of(document, parsed.GetValue(node));
                var view =
                    patch.Places == 0
                        ? await context.PutAsync<ConfigView>(url, patch.Json!, cancellation)
                        : await context.PatchAsync<ConfigView>(url, patch.Json!, cancellation);
                AnsiConsole.MarkupLineInterpolated(
                    $"[bold]{view.Name}[/] is in force{(view.Node is null ? " everywhere" : $" on {view.Node}")}"
                );
                Console.WriteLine(view.Value?.ToJsonString(Indented) ?? "{}");
                return 0;
            }
        );
        return command;
    }

    private static Command Unset()
    {
        var path = new Argument<string>("path") { Description = "A document, or a place in it: providers.home" };
        var node = Node();
        var command = new Command("unset", "Delete a document or a place in it, on all nodes") { path, node };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var (document, patch) = Patch(parsed.GetValue(path)!, null);
                var url = Of(document, parsed.GetValue(node));
                var view =
                    patch.Places == 0
                        ? await context.DeleteAsync<ConfigView>(url, cancellation)
                        : await context.PatchAsync<ConfigView>(url, patch.Json!, cancellation);
                AnsiConsole.MarkupLineInterpolated($"[bold]{parsed.GetValue(path)}[/] is gone");
                Console.WriteLine(view.Value?.ToJsonString(Indented) ?? "{}");
                return 0;
            }
        );
        return command;
    }

    private static Command Schema()
    {
        var document = Document();
        var command = new Command("schema", "Print a document's JSON Schema") { document };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                Console.WriteLine(
                    (
                        await context.GetAsync<JsonNode>(
                            $"{Path}/{Uri.EscapeDataString(parsed.GetValue(document)!)}/schema",
                            cancellation
                        )
                    ).ToJsonString(Indented)
                );
                return 0;
            }
        );
        return command;
    }

    /// <summary>From <c>providers.home.base_url</c> and a value to the document and a merge patch.</summary>
    internal static (string Document, (JsonNode? Json, int Places) Patch) Patch(string path, JsonNode? value)
    {
        var names = path.Split('.');
        if (names.Any(name => name.Length == 0))
            throw new CliException($"'{path}' is not a place: write document.name.field.");
        var patch = value;
        foreach (var name in names.Skip(1).Reverse())
            patch = new JsonObject { [name] = patch };
        return (names[0], (patch, names.Length - 1));
    }

    private static async Task<JsonNode?> ReadAsync(string given, CancellationToken cancellation)
    {
        if (given.StartsWith('@') && !File.Exists(given[1..]))
            throw new CliException($"There is no file '{given[1..]}'.");
        var text = given.StartsWith('@') ? await File.ReadAllTextAsync(given[1..], cancellation) : given;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
            when (!given.StartsWith('@') && !given.TrimStart().StartsWith('{') && !given.TrimStart().StartsWith('['))
        {
            return JsonValue.Create(text);
        }
        catch (JsonException bad)
        {
            throw new CliException($"The value is not JSON: {bad.Message}");
        }
    }
}
