using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary><c>galaxy state …</c>: the replicated state.</summary>
internal static class StateCommand
{
    public const string Path = "/api/v1/state";

    public static Command Create() =>
        new("state", "Look at and change the replicated state")
        {
            List(),
            Get(),
            Set(),
            Delete(),
            ConflictCommands.Conflicts(),
            ConflictCommands.Resolve(),
            SnapshotCommands.Snapshots(),
            SnapshotCommands.Snapshot(),
            SnapshotCommands.Restore(),
            TransferCommands.Export(),
            TransferCommands.Import(),
        };

    public static string Of(string ns, string key) =>
        $"{Path}/{Uri.EscapeDataString(ns)}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}";

    public static Argument<string> Namespace() =>
        new("namespace") { Description = "The namespace, for instance notes" };

    public static Argument<string> Key() => new("key") { Description = "The key; it may contain slashes" };

    /// <summary>Every entry of a namespace, page by page.</summary>
    public static async IAsyncEnumerable<StateEntryView> ReadAsync(
        CliContext context,
        string ns,
        string prefix,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation
    )
    {
        string? after = null;
        do
        {
            var page = await context.GetAsync<StatePage>(
                $"{Path}/{Uri.EscapeDataString(ns)}?limit=1000&prefix={Uri.EscapeDataString(prefix)}{(after is null ? "" : "&after=" + Uri.EscapeDataString(after))}",
                cancellation
            );
            foreach (var entry in page.Entries)
                yield return entry;
            after = page.Next;
        } while (after is not null);
    }

    private static Command List()
    {
        var ns = new Argument<string?>("namespace")
        {
            Description = "The namespace (none: an overview of all)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var prefix = new Option<string>("--prefix")
        {
            Description = "Only keys that begin so",
            DefaultValueFactory = _ => "",
        };
        var command = new Command("list", "List namespaces, or the entries of one") { ns, prefix };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var table = new Table().Border(TableBorder.Rounded);
                if (parsed.GetValue(ns) is not { } name)
                {
                    var overview = await context.GetAsync<StateOverview>(Path, cancellation);
                    table.AddColumns("Namespace", "Entries");
                    foreach (
                        var (space, count) in overview.Namespaces.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    )
                        table.AddRow(Markup.Escape(space), $"{count}");
                    AnsiConsole.Write(table);
                    AnsiConsole.MarkupInterpolated(
                        $"{overview.Bytes / 1024.0:0.#} KiB of {overview.LimitBytes / 1024 / 1024} MiB; "
                    );
                    AnsiConsole.MarkupLineInterpolated($"{overview.Conflicts} conflicts");
                    return 0;
                }
                table.AddColumns("Key", "Value", "Changed", "Policy");
                await foreach (var entry in ReadAsync(context, name, parsed.GetValue(prefix)!, cancellation))
                    table.AddRow(
                        Markup.Escape(entry.Key),
                        Markup.Escape(Short(Text(entry))),
                        $"{entry.UpdatedAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}",
                        entry.Contested ? $"[yellow]{entry.Policy}, contested[/]" : entry.Policy
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    private static Command Get()
    {
        var (ns, key) = (Namespace(), Key());
        var command = new Command("get", "Print a value") { ns, key };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var entry = await context.GetAsync<StateEntryView>(
                    Of(parsed.GetValue(ns)!, parsed.GetValue(key)!),
                    cancellation
                );
                Console.WriteLine(Text(entry));
                return 0;
            }
        );
        return command;
    }

    private static Command Set()
    {
        var (ns, key) = (Namespace(), Key());
        var value = new Argument<string>("value")
        {
            Description = "The value; @file reads a file. What is JSON is stored as JSON",
        };
        var policy = new Option<string?>("--policy")
        {
            Description = "last_write_wins (default), first_write_wins, merge, highest_priority or manual",
        };
        var priority = new Option<int?>("--priority") { Description = "For the policy highest_priority" };
        var command = new Command("set", "Write a value") { ns, key, value, policy, priority };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var given = parsed.GetValue(value)!;
                if (given.StartsWith('@') && !File.Exists(given[1..]))
                    throw new CliException($"There is no file '{given[1..]}'.");
                var bytes = given.StartsWith('@')
                    ? await File.ReadAllBytesAsync(given[1..], cancellation)
                    : Encoding.UTF8.GetBytes(given);
                var query =
                    $"?{(parsed.GetValue(policy) is { } name ? "policy=" + Uri.EscapeDataString(name) : "")}&{(parsed.GetValue(priority) is { } rank ? $"priority={rank}" : "")}";
                var entry = await context.PutBytesAsync<StateEntryView>(
                    Of(parsed.GetValue(ns)!, parsed.GetValue(key)!) + query,
                    bytes,
                    IsJson(bytes) ? "application/json" : "application/octet-stream",
                    cancellation
                );
                AnsiConsole.MarkupLineInterpolated(
                    $"[bold]{entry.Namespace}/{entry.Key}[/] is written; version {entry.Etag}"
                );
                return 0;
            }
        );
        return command;
    }

    private static Command Delete()
    {
        var (ns, key) = (Namespace(), Key());
        var command = new Command("delete", "Delete an entry") { ns, key };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                await context.DeleteAsync(Of(parsed.GetValue(ns)!, parsed.GetValue(key)!), cancellation);
                AnsiConsole.MarkupLineInterpolated($"[bold]{parsed.GetValue(ns)}/{parsed.GetValue(key)}[/] is deleted");
                return 0;
            }
        );
        return command;
    }

    public static string Text(StateEntryView entry) =>
        entry.Value?.ToJsonString(GalaxyJson.Options)
        ?? (entry.ValueBase64 is { } base64 ? Encoding.UTF8.GetString(Convert.FromBase64String(base64)) : "null");

    private static string Short(string text) => text.Length > 60 ? text[..59] + "…" : text;

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            JsonNode.Parse(bytes);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
