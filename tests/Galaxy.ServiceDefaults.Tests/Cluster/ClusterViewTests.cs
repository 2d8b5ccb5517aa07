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
            snapshot.Nodes.Add(new Node { NodeId = "a", Boot = "1", Url = url });
            return snapshot;
        }

        var view = ClusterView.Join(1, [Seen("http://10.0.0.1:8071"), Seen("http://10.0.0.1:8071")]);

        Assert.Equal("a", Assert.Single(view.Reachable).NodeId);
    }
}
