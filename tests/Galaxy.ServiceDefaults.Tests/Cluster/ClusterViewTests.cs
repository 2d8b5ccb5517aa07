using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.ServiceDefaults.Tests.Cluster;

public class ClusterViewTests
{
    [Fact]
    public void A_coordinator_that_is_watched_under_two_addresses_is_one()
    {
        static Snapshot Seen(string url)
        {
            var snapshot = new Snapshot { NodeId = "a", Boot = "1" };
            snapshot.Nodes.Add(
                new Node
                {
                    NodeId = "a",
                    Boot = "1",
                    Url = url,
                }
            );
            return snapshot;
        }

        var view = ClusterView.Join(1, [Seen("http://10.0.0.1:8071"), Seen("http://10.0.0.1:8071")]);

        Assert.Equal("a", Assert.Single(view.Reachable).NodeId);
    }

    [Fact]
    public void Without_the_leaders_word_a_key_counts_that_any_coordinator_knows_of()
    {
        static Snapshot Seen(string node, bool leads, params string[] keys)
        {
            var snapshot = new Snapshot
            {
                NodeId = node,
                Boot = node,
                Leader = new Leader
                {
                    NodeId = leads ? node : "gone",
                    Boot = leads ? node : "gone",
                    Token = 1,
                },
            };
            snapshot.Nodes.Add(new Node { NodeId = node, Boot = node });
            snapshot.AccessKeys.AddRange(keys.Select(id => new AccessKey { Id = id }));
            return snapshot;
        }

        Assert.Equal(
            ["x", "y"],
            ClusterView
                .Join(1, [Seen("a", leads: false), Seen("b", leads: false, "x", "y"), Seen("c", leads: false, "x")])
                .AccessKeys.Select(key => key.Id)
        );
        // Its word is the last one: what it has withdrawn is withdrawn.
        Assert.Equal(
            ["y"],
            ClusterView
                .Join(1, [Seen("a", leads: true, "y"), Seen("b", leads: false, "x", "y")])
                .AccessKeys.Select(key => key.Id)
        );
    }
}
