using Galaxy.Hosts;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>Runs the criteria for each subject on a network of its own and prints them side by side.</summary>
internal static class TransportTable
{
    /// <param name="only">The subject; null: all.</param>
    /// <param name="isShort">Only starts and answers.</param>
    public static async Task RunAsync(string? only, bool isShort)
    {
        var subjects = new (string Name, Func<LabHost, Subject> Create)[]
        {
            ("galaxy", host => new GalaxySubject(host)),
            ("makaretu", host => new MakaretuSubject(host)),
            ("defaults", host => new MakaretuSubject(host, defaults: true)),
        };
        var columns = new List<(string Name, IReadOnlyList<Row> Rows)>();
        foreach (var (name, create) in subjects.Where(subject => only is null || subject.Name == only))
        {
            await using var network = await HostNetwork.CreateAsync(4);
            using var subject = create(network[0]);
            columns.Add((subject.Name, await new TransportRun(network, subject, isShort).RunAsync()));
        }
        Console.WriteLine($"| criterion | {string.Join(" | ", columns.Select(column => column.Name))} |");
        Console.WriteLine($"|---|{string.Concat(columns.Select(_ => "---|"))}");
        for (var i = 0; i < columns[0].Rows.Count; i++)
        {
            var cells = columns.Select(column =>
                $"{(column.Rows[i].Met ? "yes" : "**no**")}: {column.Rows[i].Measured}"
            );
            Console.WriteLine($"| {columns[0].Rows[i].Criterion} | {string.Join(" | ", cells)} |");
        }
        Console.WriteLine(
            $"| met, of {columns[0].Rows.Count} | "
                + string.Join(" | ", columns.Select(column => column.Rows.Count(row => row.Met)))
                + " |"
        );
    }
}
