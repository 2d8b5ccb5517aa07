using System.Reflection;

namespace Galaxy.Architecture.Tests.Layers;

/// <summary>Folders inside a project are layers: a folder uses those below it, and none that uses it. See docs/architecture.md.</summary>
public class LayerTests
{
    /// <summary>Each project's folders from the bottom up: a folder may use those before it, and no other.</summary>
    private static readonly IReadOnlyDictionary<string, string[]> Orders = new Dictionary<string, string>
    {
        ["Galaxy.Coordinator"] =
            "Node Storage Replica Leadership Gossip State Cluster Audit Access Configuration Groups Devices Failover Tasks "
            + "Commands Backup Http WebSockets Grpc Hosting Rehearsal .",
    }.ToDictionary(one => one.Key, one => one.Value.Split(' '));

    public static TheoryData<string> Projects =>
        [
            .. Directory
                .EnumerateDirectories(Deploy.Repository.Root, "Galaxy.*")
                .Select(folder => Path.GetFileName(folder)!)
                .Order(StringComparer.Ordinal),
        ];

    public static TheoryData<string> Ordered => [.. Orders.Keys];

    private static FolderGraph Graph(string project) =>
        FolderGraph.Of(project, Assembly.Load(project == "Galaxy.Cli" ? "galaxy" : project).Location);

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_folders_use_each_other(string project) => None(FolderCycles.In(Graph(project)));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_namespace_is_the_folder_that_its_file_lies_in(string project)
    {
        var root = Path.Combine(Deploy.Repository.Root, project);
        var astray = FolderGraph
            .Sources(root)
            .Where(source => source.Namespace != (project + "/" + source.Folder).TrimEnd('/').Replace('/', '.'))
            .Select(source => source.File);

        Assert.Empty(astray);
    }

    [Theory]
    [MemberData(nameof(Ordered))]
    public void A_folder_uses_only_those_below_it(string project) => None(Upward(Graph(project), Orders[project]));

    [Theory]
    [MemberData(nameof(Ordered))]
    public void Every_planted_use_of_a_folder_above_is_found(string project)
    {
        var order = Orders[project];
        for (var below = 0; below < order.Length; below++)
        for (var above = below + 1; above < order.Length; above++)
        {
            var graph = Graph(project);
            graph.Add(order[below], order[above], "planted");
            Assert.Equal([$"{order[below]} → {order[above]}: planted"], Upward(graph, order));
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_planted_way_back_is_found(string project)
    {
        // For each use between two folders, the use that would close the circle.
        foreach (
            var (from, to) in Graph(project)
                .Uses.Keys.Where(use =>
                    FolderCycles.Child(use.To, use.From) is null && FolderCycles.Child(use.From, use.To) is null
                )
        )
        {
            var graph = Graph(project);
            graph.Add(to, from, "planted");
            Assert.NotEmpty(FolderCycles.In(graph));
        }
    }

    // Says all of them, which Assert.Empty does not.
    private static void None(IReadOnlyList<string> found) => Assert.True(found.Count == 0, string.Join('\n', found));

    private static IReadOnlyList<string> Upward(FolderGraph graph, string[] order) =>
        [
            .. from use in graph.Uses
            let below = Array.IndexOf(order, FolderCycles.Child(use.Key.From, ""))
            let above = Array.IndexOf(order, FolderCycles.Child(use.Key.To, ""))
            where below < above || below < 0
            select $"{use.Key.From} → {use.Key.To}: {string.Join(", ", use.Value.Take(4))}",
        ];
}
