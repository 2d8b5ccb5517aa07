using Spectre.Console;

namespace Galaxy.LocalHosting.Running;

/// <summary>What a person sees when everything is up.</summary>
internal static class StartTable
{
    public static void Print(RunnerConsole console, IReadOnlyList<ResourceProcess> processes, string? leader, TimeSpan took)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Resource", "Process", "Address");
        foreach (var process in processes)
        {
            table.AddRow(
                Markup.Escape(process.Resource.Name), $"{process.ProcessId}",
                Markup.Escape(string.Join("  ", process.Resource.Endpoints.Select(endpoint => endpoint.Url))));
        }
        console.Write(table);
        var urls = Urls(processes).ToList();
        if (leader is not null)
            urls.Add(new ResourceUrlAnnotation { DisplayText = "Leader", Url = leader });
        var width = urls.Max(url => (int?)url.DisplayText?.Length) ?? 0;
        foreach (var url in urls)
            console.Plain($"{(url.DisplayText ?? "").PadRight(width)}  {url.Url}");
        console.Say($"[green]{(processes.Count == 1 ? "The resource is" : $"All {processes.Count} resources are")} healthy after {took.TotalSeconds:0.0} s.[/] Ctrl-C stops {(processes.Count == 1 ? "it" : "them")}.");
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
