using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.Router.Tests.Lab;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Discovery.Tests;

/// <summary>
/// What a discovery service knows of its machine: the coordinator c1 of the cluster galaxy, which it watches.
/// </summary>
internal sealed class OneMachine : IAsyncDisposable
{
    private readonly ServiceTokens _tokens;
    private readonly ConfigurationManager _configuration = new();

    private OneMachine(OneCoordinator coordinator, TimeProvider time, NodeOptions node)
    {
        (Coordinator, Time, Node) = (coordinator, time, node);
        _tokens = new ServiceTokens(node, time);
        Channels = new CoordinatorChannels(_tokens);
        _configuration["GALAXY_COORDINATORS"] = coordinator.GrpcUrl;
        // Seeds are watched, too, and here they are of this machine: they would be its own coordinators.
        Watcher = new ClusterWatcher(
            Channels,
            _configuration,
            node with
            {
                Seeds = [],
            },
            time,
            NullLogger<ClusterWatcher>.Instance
        );
        Local = new LocalNodes(Watcher, new OwnAddresses(time), node);
        Peers = new PeerTable(Watcher, Local, node, time, NullLogger<PeerTable>.Instance);
        Links = new LinkWatcher(time, NullLogger<LinkWatcher>.Instance);
        Receiver = new Receiver(time, NullLogger<Receiver>.Instance);
        Trust = new Trust(node, time);
    }

    public const string Key = "a-key-of-the-whole-cluster";

    public OneCoordinator Coordinator { get; }
    public TimeProvider Time { get; }
    public NodeOptions Node { get; }
    public CoordinatorChannels Channels { get; }
    public ClusterWatcher Watcher { get; }
    public LocalNodes Local { get; }
    public PeerTable Peers { get; }
    public LinkWatcher Links { get; }
    public Receiver Receiver { get; }
    public Trust Trust { get; }

    /// <summary>A machine whose coordinator is known to it.</summary>
    public static async Task<OneMachine> StartAsync(TimeProvider? time = null, NodeOptions? node = null)
    {
        var machine = new OneMachine(
            await OneCoordinator.StartAsync(),
            time ?? TimeProvider.System,
            node ?? new NodeOptions { NodeId = "discovery", ApiKey = Key }
        );
        await machine.Watcher.StartAsync(default);
        await machine.Local.StartAsync(default);
        await machine.Peers.StartAsync(default);
        await Eventually.TrueAsync(() => machine.Local.Current.Count == 1);
        return machine;
    }

    public async ValueTask DisposeAsync()
    {
        await Peers.StopAsync(default);
        await Local.StopAsync(default);
        await Watcher.StopAsync(default);
        Receiver.Dispose();
        Links.Dispose();
        Peers.Dispose();
        Local.Dispose();
        Watcher.Dispose();
        Channels.Dispose();
        _tokens.Dispose();
        _configuration.Dispose();
        await Coordinator.DisposeAsync();
    }
}
