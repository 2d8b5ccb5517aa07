using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// Keeps the registry true to the sockets of the leader. A former leader that did not know of its end, for instance because it was stopped for a while, may have
/// written that its devices are gone after they came here; such a write is newer than ours and wins by its time.
/// </summary>
internal sealed class DevicePresence : PeriodicService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly DeviceHub _hub;
    private readonly DeviceRegistry _registry;
    private readonly Elector _elector;
    private readonly Identity _identity;
    private readonly TaskEngine _tasks;
    private volatile bool _hasNews;

    public DevicePresence(
        DeviceHub hub, DeviceRegistry registry, Elector elector, Identity identity, TaskEngine tasks, GossipNode gossip, TimeProvider time, ILogger<DevicePresence> log)
        : base(Every, time, log)
    {
        (_hub, _registry, _elector, _identity, _tasks) = (hub, registry, elector, identity, tasks);
        gossip.Arrived += Note;
    }

    // Only what others write can contradict a socket.
    private void Note(IReadOnlyList<StateEntry> news)
    {
        if (!_hasNews && news.Any(entry => entry.Namespace == Namespaces.Devices))
            _hasNews = true;
    }

    /// <inheritdoc/>
    protected override Task TurnAsync(CancellationToken stopping)
    {
        if (!_hasNews || _elector.CurrentToken is null)
            return Task.CompletedTask;
        _hasNews = false;
        foreach (var device in _hub.DeviceIds)
        {
            if (_registry.Get(device) is { } told && told.HeldBy != _identity.Boot && _hub.Find(device) is { Said: { } said })
                Reclaim(told, said);
        }
        return Task.CompletedTask;
    }

    private void Reclaim(DeviceView told, DeviceView said)
    {
        _registry.Put(told with
        {
            State = said.State,
            HeldBy = _identity.Boot,
            Protocol = said.Protocol,
            Capabilities = said.Capabilities,
            Slots = said.Slots,
            Load = said.Load,
            LastSeen = said.LastSeen,
        });
        _tasks.Post(new TaskEvent.DeviceChanged(told.DeviceId));
        _hub.Tell(told.DeviceId);
    }
}
