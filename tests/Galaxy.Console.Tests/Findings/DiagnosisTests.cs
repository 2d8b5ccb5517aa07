using System.Collections.Immutable;
using Galaxy.Console.Findings;
using Galaxy.Console.Live;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Console.Tests.Findings;

public sealed class DiagnosisTests
{
    private static ClusterView View(params string[] states)
    {
        var nodes = states
            .Select(
                (state, i) =>
                    new Node
                    {
                        NodeId = $"n{i}",
                        State = state,
                        Version = "1",
                    }
            )
            .ToImmutableArray();
        return new ClusterView(
            1,
            new Leader { NodeId = "n0", Token = 7 },
            true,
            [.. nodes.Where(node => node.State == "alive")],
            nodes,
            [],
            []
        );
    }

    private static IEnumerable<string> Titles(ClusterView view, Beat? beat = null) =>
        Diagnosis.Of(view, beat ?? Beat.None).Select(finding => finding.Title);

    [Fact]
    public void Of_a_cluster_that_is_well_nothing_is_said() => Assert.Empty(Titles(View("alive", "alive", "alive")));

    [Fact]
    public void A_cluster_that_nobody_can_reach_is_the_worst() =>
        Assert.Equal("No coordinator can be reached", Titles(ClusterView.Empty).First());

    [Fact]
    public void Without_a_leader_it_is_said_what_still_works() =>
        Assert.Contains(
            "There is no leader at the moment",
            Titles(View("alive", "alive") with { LeaderReachable = false })
        );

    [Fact]
    public void A_dead_node_is_named_and_the_last_one_is_warned_of()
    {
        var findings = Diagnosis.Of(View("alive", "dead"), Beat.None);
        Assert.Equal(["n1"], findings.Single(finding => finding.Title == "{0} does not answer").Values);
        Assert.Contains(findings, finding => finding.Title == "Only one coordinator is left");
    }

    [Fact]
    public void Conflicts_clocks_drained_nodes_and_failing_checks_are_said_the_worst_first()
    {
        var status = new FailoverStatus(
            "n0",
            null,
            "active-passive",
            new FailoverSettings { Drained = ["n1"] },
            ["n0"],
            [],
            ["n2"],
            [new("disk", false, 3, "full", null)],
            new Dictionary<string, string>(),
            [0]
        );
        var sync = new SyncStatus(
            "n0",
            "o",
            1,
            1,
            1,
            [new SyncPeer("n1", "alive", 1000, null, 0, 0, 1, -2500)],
            new Dictionary<string, long>()
        );
        var beat = new Beat(null, status, ImmutableDictionary<string, SyncStatus>.Empty.Add("n0", sync), [], 2, 3);
        Assert.Equal(
            [
                "The health check '{0}' fails",
                "Store {0} is behind the others",
                "{0} entries wait for you to decide",
                "{0} stored records cannot be used",
                "The clock of {0} is {1} s off",
                "{0} is drained",
                "{0} stands last for a while",
                "{0} is {1} writes behind",
            ],
            Titles(View("alive", "alive", "alive"), beat)
        );
        Assert.All(Diagnosis.Of(View("alive", "alive"), beat), finding => Assert.NotEmpty(finding.Cure));
    }
}
