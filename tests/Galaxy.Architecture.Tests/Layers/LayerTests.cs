using System.Collections.Concurrent;
using System.Reflection;

namespace Galaxy.Architecture.Tests.Layers;

/// <summary>
/// Folders inside a project are layers: a folder uses those below it, and none that uses it. See docs/architecture.md.
/// </summary>
public class LayerTests
{
    /// <summary>Each project's folders from the bottom up: a folder may use those before it, and no other.</summary>
    private static readonly IReadOnlyDictionary<string, string[]> Orders = new Dictionary<string, string>
    {
        ["Galaxy.Coordinator"] =
            "Node Storage Replica Leadership Gossip State Cluster Audit Access Configuration Groups Devices Failover Tasks "
            + "Commands Backup Http WebSockets Grpc Hosting Rehearsal .",
        ["Galaxy.OneApi"] =
            "Dialects Governance Requests Providers Models Routing Exchange Cache Accounting Telemetry Tools Backends "
            + "Relay Tokens Responses Http .",
        ["Galaxy.Router"] = "Telemetry Rules Catalog Routing Invocation Registration Health Tools Mcp OpenApi .",
        ["Galaxy.ServiceDefaults"] =
            "Input Processes Nodes Http Telemetry Authentication OpenApi Hosting Cluster Audit Configuration Store Health .",
        ["Galaxy.LocalHosting"] = "Description Processes Control Supervision .",
    }.ToDictionary(one => one.Key, one => one.Value.Split(' '));

    public static TheoryData<string> Projects =>
        [
            .. Directory
                .EnumerateDirectories(Deploy.Repository.Root, "Galaxy.*")
                .Select(folder => Path.GetFileName(folder)!)
                .Order(StringComparer.Ordinal),
        ];

    public static TheoryData<string> Ordered => [.. Orders.Keys];

    private static readonly ConcurrentDictionary<string, FolderGraph> Graphs = new();

    private static FolderGraph Graph(string project) => Graphs.GetOrAdd(project, Read);

    private static FolderGraph Read(string project) =>
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
        var (graph, order) = (Graph(project), Orders[project]);
        for (var below = 0; below < order.Length; below++)
        {
            for (var above = below + 1; above < order.Length; above++)
            {
                var (from, to) = (Path(order[below]), Path(order[above]));
                Assert.Equal([$"{from} → {to}: planted"], Upward(graph.With(from, to), order));
            }
        }

        static string Path(string folder) => folder == FolderCycles.Own ? "" : folder;
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_planted_way_back_is_found(string project)
    {
        var graph = Graph(project);
        // A folder and its own sub-folder share no level but the one inside; every other use has a way back to plant.
        foreach (var (from, to) in graph.Uses.Keys)
            Assert.NotEmpty(FolderCycles.In(graph.With(to, from)));
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
