using System.Net;
using Galaxy.Contracts.Cluster;
using Galaxy.Discovery.Links;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Peers;

/// <summary>A coordinator of this machine, as it is announced on one link.</summary>
internal sealed record LocalNode(string NodeId, string Role, string Cluster, string Url, string GrpcUrl, string Version)
{
    public int Port { get; } = new Uri(Url).Port;

    public bool OnlyHere { get; } = OwnAddresses.IsLoopback(new Uri(GrpcUrl).Host);
}

/// <summary>
/// The coordinators that this discovery speaks for: those of this machine with which it has an open watch. Thread-safe.
/// One that listens on loopback only is announced there only.
/// </summary>
internal sealed class LocalNodes(ClusterWatcher watcher, OwnAddresses own, NodeOptions node) : BackgroundService
{
    private volatile IReadOnlyList<LocalNode> _current = [];

    /// <summary>Raised after <see cref="Current"/> has changed, on any thread.</summary>
    public event Action? Changed;

    public IReadOnlyList<LocalNode> Current => _current;

    /// <summary>True for a local node, which must not be reported as found.</summary>
    public bool Contains(string cluster, string nodeId) =>
        cluster == node.Cluster && _current.Any(local => local.NodeId == nodeId);

    /// <summary>What is announced on a link, under the address that this machine has there.</summary>
    public IReadOnlyList<LocalNode> On(Link link) =>
        [.. _current.Where(local => link.IsLoopback || !local.OnlyHere).Select(local => At(local, link))];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var view in watcher.Changes(stoppingToken))
            {
                IReadOnlyList<LocalNode> nodes =
                [
                    .. view
                        .Reachable.Where(reachable => own.IsOwn(new Uri(reachable.GrpcUrl).Host))
                        .Select(Read)
                        .DistinctBy(local => local.NodeId),
                ];
                if (nodes.SequenceEqual(_current))
                    continue;
                _current = nodes;
                Changed?.Invoke();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: the last view stays, because goodbyes are sent from it.
        }
    }

    private LocalNode Read(Node reachable) =>
        new(reachable.NodeId, reachable.Role, node.Cluster, reachable.Url, reachable.GrpcUrl, reachable.Version);

    // A machine has another address on each link. What GALAXY_ADVERTISE says, or a host name, holds on all of them.
    private LocalNode At(LocalNode local, Link link)
    {
        if (
            link.IsLoopback
            || link.IsIpv6
            || local.OnlyHere
            || node.Advertise is not null
            || !IPAddress.TryParse(new Uri(local.GrpcUrl).Host, out _)
        )
            return local;
        return local with { Url = Move(local.Url, link.Address), GrpcUrl = Move(local.GrpcUrl, link.Address) };
    }

    private static string Move(string url, IPAddress address) =>
        new UriBuilder(url) { Host = address.ToString() }.Uri.GetLeftPart(UriPartial.Authority);
}
