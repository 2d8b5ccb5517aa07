using System.CommandLine;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.Failover;

/// <summary><c>galaxy failovers</c>: the record of each, with its steps.</summary>
internal static class FailoversCommand
{
    public static Command Create()
    {
        var command = new Command("failovers", "List the last failovers, newest first");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var records = await context.GetAsync<List<FailoverRecord>>("/api/v1/failovers", cancellation);
                if (records.Count == 0)
                    AnsiConsole.WriteLine("There was none yet.");
                foreach (var record in records)
                {
                    AnsiConsole.MarkupInterpolated($"[bold]{record.StartedAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}[/]  ");
                    AnsiConsole.MarkupInterpolated(
                        $"{record.From ?? "–"} → [green]{record.To}[/]  {record.Reason}  token "
                    );
                    AnsiConsole.MarkupLineInterpolated(
                        $"{record.OldToken} → {record.NewToken}  {record.DurationMs:0} ms"
                    );
                    AnsiConsole.MarkupLineInterpolated($"  {record.Evidence}; trace {record.TraceId}");
                    AnsiConsole.MarkupLineInterpolated(
                        $"  {string.Join(", ", record.Steps.Select(step => $"{step.Name} {step.DurationMs:0.0} ms"))}"
                    );
                }
                return 0;
            }
        );
        return command;
    }
}
