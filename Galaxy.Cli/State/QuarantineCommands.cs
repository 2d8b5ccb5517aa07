using System.CommandLine;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary>
/// <c>galaxy quarantine [retry | delete]</c>: the stored records that the leader has set aside, because they cannot be
/// read or used.
/// </summary>
internal static class QuarantineCommands
{
    private const string Path = "/api/v1/quarantine";

    public static Command Create()
    {
        var command = new Command("quarantine", "Stored records that cannot be read or used, and were set aside")
        {
            Retry(),
            Delete(),
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var records = await context.GetAsync<List<QuarantinedRecord>>(Path, cancellation);
                if (records.Count == 0)
                {
                    AnsiConsole.WriteLine("None: every stored record can be used.");
                    return 0;
                }
                var table = new Table().Border(TableBorder.Rounded).AddColumns("Kind", "Id", "Reason", "Since");
                // An id is copied into the next command.
                table.Columns[1].NoWrap();
                foreach (var record in records)
                    table.AddRow(
                        Markup.Escape(record.Kind),
                        Markup.Escape(record.Id),
                        Markup.Escape(record.Reason),
                        $"{record.Since.ToLocalTime():yyyy-MM-dd HH:mm:ss}"
                    );
                AnsiConsole.Write(table);
                AnsiConsole.WriteLine(
                    "Mend one in the store and say 'galaxy quarantine retry KIND ID', or delete it with "
                        + "'galaxy quarantine delete KIND ID'."
                );
                return 0;
            }
        );
        return command;
    }

    private static Command Retry()
    {
        var (kind, id) = (Kind(), Id());
        var command = new Command("retry", "Read a record again: it is released when it can be used now") { kind, id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                await context.PostAsync(Of(parsed.GetValue(kind)!, parsed.GetValue(id)!), cancellation);
                AnsiConsole.MarkupLineInterpolated($"The record [bold]{parsed.GetValue(id)}[/] is in use again");
                return 0;
            }
        );
        return command;
    }

    private static Command Delete()
    {
        var (kind, id) = (Kind(), Id());
        var command = new Command("delete", "Delete a record where it is stored, for good") { kind, id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                await context.DeleteAsync(Of(parsed.GetValue(kind)!, parsed.GetValue(id)!), cancellation);
                AnsiConsole.MarkupLineInterpolated($"The record [bold]{parsed.GetValue(id)}[/] is deleted");
                return 0;
            }
        );
        return command;
    }

    private static Argument<string> Kind() =>
        new("kind") { Description = "'tasks', or a namespace of the replicated state" };

    private static Argument<string> Id() => new("id") { Description = "As 'galaxy quarantine' shows it" };

    private static string Of(string kind, string id) =>
        $"{Path}?kind={Uri.EscapeDataString(kind)}&id={Uri.EscapeDataString(id)}";
}
