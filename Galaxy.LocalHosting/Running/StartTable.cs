using Spectre.Console;

namespace Galaxy.LocalHosting.Running;

/// <summary>What a person sees when everything is up.</summary>
internal static class StartTable
{
    public static void Print(RunnerConsole console, IReadOnlyList<ResourceProcess> processes, IReadOnlyList<IResource> resources, TimeSpan took)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Resource", "Process", "Address");
        foreach (var process in processes)
        {
            table.AddRow(
                Markup.Escape(process.Resource.Name), $"{process.ProcessId}",
                Markup.Escape(string.Join("  ", process.Resource.Endpoints.Select(endpoint => endpoint.Url))));
        }
        console.Write(table);
        foreach (var url in Urls(processes))
            console.Say($"{url.DisplayText}  [bold link]{url.Url}[/]");
        console.Say($"[green]All {processes.Count} resources are healthy after {took.TotalSeconds:0.0} s.[/] Ctrl-C stops them.");
    }

    private static IEnumerable<ResourceUrlAnnotation> Urls(IReadOnlyList<ResourceProcess> processes)
    {
        foreach (var resource in processes.Select(process => process.Resource))
        {
            foreach (var (name, change) in resource.Urls)
            {
                if (resource.Endpoints.Find(endpoint => endpoint.Name == name) is not { } endpoint)
                    continue;
                var url = new ResourceUrlAnnotation { Url = endpoint.Url, DisplayText = resource.Name };
                change(url);
                yield return url;
            }
        }
    }
}
