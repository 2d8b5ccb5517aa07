using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Keeps the registry true to the sockets of the leader. A former leader that did not know of its end, for instance
/// because it was stopped for a while, may have written that its devices are gone after they came here, or that devices
/// are there which have left meanwhile; such a write is newer than ours and wins by its time.
/// </summary>
internal sealed class DevicePresence : PeriodicService
{
    /// <summary>A device that another leader held gets this long to connect here before it counts as offline.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly DeviceHub _hub;
    private readonly DeviceRegistry _registry;
    private readonly Elector _elector;
    private readonly Identity _identity;
    private readonly TaskEngine _tasks;
    private readonly Dictionary<string, long> _absentSince = new(StringComparer.Ordinal);
    private long? _term;
    private volatile bool _hasNews;

    public DevicePresence(
        DeviceHub hub,
        DeviceRegistry registry,
        Elector elector,
        Identity identity,
        TaskEngine tasks,
        ReplicatedState replica,
        TimeProvider time,
        ILogger<DevicePresence> log
    )
        : base(Every, time, log)
    {
        (_hub, _registry, _elector, _identity, _tasks) = (hub, registry, elector, identity, tasks);
        replica.Arrived += Note;
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
        var term = _elector.CurrentToken;
        if (term != _term)
        {
            _absentSince.Clear();
            (_term, _hasNews) = (term, true);
        }
        if (term is null)
            return Task.CompletedTask;
        if (_hasNews)
        {
            _hasNews = false;
            Compare();
        }
        MarkAbsent();
        return Task.CompletedTask;
    }

    private void Compare()
    {
        foreach (var told in _registry.List())
        {
            if (_hub.Find(told.DeviceId) is not { } session)
            {
                if (told.HeldBy.Length > 0)
                    _absentSince.TryAdd(told.DeviceId, Time.GetTimestamp());
            }
            else if (told.HeldBy != _identity.Boot && session.Said is { } said)
            {
                Reclaim(told, said);
            }
        }
    }

    private void MarkAbsent()
    {
        foreach (
            var (deviceId, since) in _absentSince.Where(absent => Time.GetElapsedTime(absent.Value) >= Grace).ToList()
        )
        {
            _absentSince.Remove(deviceId);
            if (_registry.Get(deviceId) is not { HeldBy.Length: > 0 } || _hub.Find(deviceId) is not null)
                continue;
            _registry.Update(deviceId, stale => stale with { State = "offline", HeldBy = "" });
            _hub.Tell(deviceId);
            // It may have connected in this very moment.
            if (_hub.Find(deviceId) is { Said: { } said } && _registry.Get(deviceId) is { } told)
                Reclaim(told, said);
        }
    }

    private void Reclaim(DeviceView told, DeviceView said)
    {
        _registry.Put(
            told with
            {
                State = said.State,
                HeldBy = _identity.Boot,
                Protocol = said.Protocol,
                Capabilities = said.Capabilities,
                Slots = said.Slots,
                Load = said.Load,
                LastSeen = said.LastSeen,
            }
        );
        _tasks.Post(new TaskEvent.DeviceChanged(told.DeviceId));
        _hub.Tell(told.DeviceId);
    }
}
