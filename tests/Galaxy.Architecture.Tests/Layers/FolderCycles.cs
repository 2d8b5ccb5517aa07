namespace Galaxy.Architecture.Tests.Layers;

/// <summary>
/// Finds folders that use each other, however long the way around. Sub-folders are compared with their siblings and
/// with the files beside them; other folders see them as their parent folder.
/// </summary>
internal static class FolderCycles
{
    /// <summary>The files of a folder that lie beside its sub-folders.</summary>
    public const string Own = ".";

    /// <summary>Each cycle as one line: <c>a → b → a</c>, with an example for each arrow.</summary>
    public static IReadOnlyList<string> In(FolderGraph graph) =>
        [
            .. Parents(graph)
                .SelectMany(parent => Cycles(Level(graph, parent)).Select(cycle => Describe(graph, parent, cycle))),
        ];

    private static IEnumerable<string> Parents(FolderGraph graph) =>
        graph.Folders.SelectMany(folder => Ancestors(folder)).Distinct().Order(StringComparer.Ordinal);

    // The project's own files put everything together: they may use all, and are looked at like any other folder.
    private static IEnumerable<string> Ancestors(string folder)
    {
        while (folder.Length > 0)
        {
            folder = folder.LastIndexOf('/') is >= 0 and var cut ? folder[..cut] : "";
            yield return folder;
        }
    }

    /// <summary>The edges between the children of <paramref name="parent"/>.</summary>
    private static Dictionary<string, SortedSet<string>> Level(FolderGraph graph, string parent)
    {
        var edges = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var (from, to) in graph.Uses.Keys)
        {
            if (Child(from, parent) is not { } a || Child(to, parent) is not { } b || a == b)
                continue;
            if (!edges.TryGetValue(a, out var targets))
                edges[a] = targets = new(StringComparer.Ordinal);
            targets.Add(b);
        }
        return edges;
    }

    internal static string? Child(string folder, string parent)
    {
        if (folder == parent)
            return Own;
        if (parent.Length > 0 && !folder.StartsWith(parent + "/", StringComparison.Ordinal))
            return null;
        var rest = parent.Length == 0 ? folder : folder[(parent.Length + 1)..];
        return rest.Split('/')[0];
    }

    /// <summary>The shortest cycle through each node that has one, each set of nodes once.</summary>
    private static IEnumerable<IReadOnlyList<string>> Cycles(Dictionary<string, SortedSet<string>> edges)
    {
        var seen = new HashSet<string>();
        foreach (var start in edges.Keys.Order(StringComparer.Ordinal))
            if (WayBack(edges, start) is { } cycle && seen.Add(string.Join(" ", cycle.Order(StringComparer.Ordinal))))
                yield return cycle;
    }

    private static List<string>? WayBack(Dictionary<string, SortedSet<string>> edges, string start)
    {
        var cameFrom = new Dictionary<string, string>();
        var queue = new Queue<string>([start]);
        while (queue.TryDequeue(out var node))
            foreach (var next in edges.GetValueOrDefault(node) ?? [])
            {
                if (next == start)
                {
                    var way = new List<string>();
                    for (var at = node; at != start; at = cameFrom[at])
                        way.Insert(0, at);
                    return [start, .. way];
                }
                if (cameFrom.TryAdd(next, node))
                    queue.Enqueue(next);
            }
        return null;
    }

    private static string Describe(FolderGraph graph, string parent, IReadOnlyList<string> cycle)
    {
        var arrows = cycle.Zip(cycle.Skip(1).Append(cycle[0]), (from, to) =>
            $"  {from} → {to}: {string.Join(", ", Examples(graph, parent, from, to).Take(4))}"
        );
        return $"{graph.Project}/{parent}: {string.Join(" → ", cycle.Append(cycle[0]))}\n{string.Join("\n", arrows)}";
    }

    private static IEnumerable<string> Examples(FolderGraph graph, string parent, string from, string to) =>
        graph
            .Uses.Where(use => Child(use.Key.From, parent) == from && Child(use.Key.To, parent) == to)
            .SelectMany(use => use.Value);
}
