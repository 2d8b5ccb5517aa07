using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Peers;

/// <summary>A coordinator of this machine, as it is announced.</summary>
internal sealed record LocalNode(string NodeId, string Role, string Cluster, string Url, string GrpcUrl, string Version)
{
    public int Port { get; } = new Uri(Url).Port;
}

/// <summary>The coordinators that this discovery speaks for: those with which it has an open watch.</summary>
internal sealed class LocalNodes(ClusterWatcher watcher, NodeOptions node)
{
    public IReadOnlyList<LocalNode> Current => [.. watcher.Current.Reachable.Select(Read)];

    public bool Contains(string nodeId) => watcher.Current.Reachable.Any(reachable => reachable.NodeId == nodeId);

    private LocalNode Read(Node reachable) => new(reachable.NodeId, reachable.Role, node.Cluster, reachable.Url, reachable.GrpcUrl, reachable.Version);
}
