using Spectre.Console;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>What the user sees when everything is up: the processes, then the addresses.</summary>
internal static class StartReport
{
    public static void Print(
        SupervisorConsole console,
        IReadOnlyList<SupervisedProcess> processes,
        IReadOnlyList<(string Text, string Url)> links,
        TimeSpan took
    )
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Process", "Id", "Address");
        foreach (var process in processes)
        {
            table.AddRow(
                Markup.Escape(process.Name),
                $"{process.ProcessId}",
                Markup.Escape(string.Join("  ", process.Description.Endpoints.Select(endpoint => endpoint.Url)))
            );
        }
        console.Write(table);
        var width = links.Max(link => (int?)link.Text.Length) ?? 0;
        foreach (var (text, url) in links)
            console.Plain($"{text.PadRight(width)}  {url}");
        var (all, them) =
            processes.Count == 1 ? ("The process is", "it") : ($"All {processes.Count} processes are", "them");
        console.Say($"[green]{all} healthy after {took.TotalSeconds:0.0} s.[/] Ctrl-C stops {them}.");
    }
}
