using Galaxy.Contracts.Api;
using Galaxy.Contracts.Cluster;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Clocks;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Cluster;

/// <summary>
/// Joins election, membership, devices and services into snapshots, and tells watchers when there is a new one.
/// Thread-safe.
/// </summary>
internal sealed class ClusterFeed
{
    private readonly Elector _elector;
    private readonly Membership _membership;
    private readonly ReplicatedState _replica;
    private readonly Quarantine _quarantine;
    private readonly Identity _identity;
    private readonly NodeOptions _node;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private (Task Change, FeedSnapshot Snapshot)? _made;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ClusterFeed(
        Elector elector,
        Membership membership,
        ReplicatedState replica,
        Quarantine quarantine,
        Identity identity,
        NodeOptions node,
        TimeProvider time
    )
    {
        (_elector, _membership, _replica, _quarantine, _identity, _node, _time) = (
            elector,
            membership,
            replica,
            quarantine,
            identity,
            node,
            time
        );
        elector.LeaderChanged += _ => Signal();
        membership.Changed += Signal;
        replica.Changed += Signal;
    }

    /// <summary>Completes at the next change. Take it before reading, so that no change is missed.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }

    private void Signal()
    {
        lock (_gate)
        {
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public IEnumerable<DeviceView> Devices() =>
        _replica
            .List(Namespaces.Devices)
            .Select(entry => _quarantine.Read<DeviceView>(entry, device => device.DeviceId))
            .OfType<DeviceView>();

    /// <summary>
    /// Services whose announcement has not run out. Their clocks and ours may differ by a few seconds.
    /// </summary>
    public IEnumerable<Service> Services()
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _replica
            .List(Namespaces.Services)
            .Select(entry => _quarantine.Parse(entry, Service.Parser, service => service.Id))
            .OfType<Service>()
            .Where(service => service.LastSeenUnixMs + service.TtlMs + 5000 > now);
    }

    /// <summary>The present snapshot, made once for all watchers; not to be changed.</summary>
    public FeedSnapshot Snapshot()
    {
        Task change;
        lock (_gate)
        {
            if (_made is { } made && made.Change == _changed.Task)
                return made.Snapshot;
            change = _changed.Task;
        }
        var snapshot = new FeedSnapshot(Make());
        lock (_gate)
            _made = (change, snapshot);
        return snapshot;
    }

    private Snapshot Make()
    {
        var snapshot = new Snapshot
        {
            Cluster = _node.Cluster,
            NodeId = _node.NodeId,
            Boot = _identity.Boot,
            MaxToken = _elector.MaxToken,
            Leader = new Leader(),
        };
        if (_elector.Leader is { } lease)
        {
            snapshot.Leader = new Leader
            {
                NodeId = lease.Holder,
                Boot = lease.Boot,
                Token = lease.Token,
                Url = lease.Url,
                Traceparent = lease.TraceParent,
                SinceUnixMs = lease.AcquiredUnixMs,
            };
        }
        snapshot.Nodes.AddRange(
            _membership.Members.All.Select(member => new Contracts.Cluster.Node
            {
                NodeId = member.NodeId,
                Role = member.Role,
                State = GossipWire.Name(member.State),
                Url = member.Url,
                GrpcUrl = member.GrpcUrl,
                Boot = member.Boot,
                Pid = member.Pid,
                Version = member.Version,
                StartedAtUnixMs = member.StartedAtUnixMs,
            })
        );
        snapshot.Services.AddRange(Services());
        snapshot.AccessKeys.AddRange(
            _replica
                .List(Namespaces.Access)
                .Select(entry => _quarantine.Read<ServiceDefaults.Authentication.AccessKey>(entry, key => key.Id))
                .OfType<ServiceDefaults.Authentication.AccessKey>()
                .Select(ToWire)
        );
        var known = new Dictionary<Capability, int>();
        foreach (var device in Devices())
        {
            if (
                _quarantine.Use(Namespaces.Devices, device.DeviceId, () =>
                    Tuple.Create(ToWire(device), device.Capabilities.Select(ToWire).ToList())
                )
                is not var (wire, capabilities)
            )
                continue;
            foreach (var capability in capabilities)
            {
                if (known.TryAdd(capability, known.Count))
                    snapshot.DeviceCapabilities.Add(capability);
                wire.CapabilityIndexes.Add(known[capability]);
            }
            snapshot.Devices.Add(wire);
        }
        return snapshot;
    }

    public ClusterResponse Response()
    {
        var leader = _elector.Leader is { } lease
            ? new LeaderResponse(
                lease.Holder,
                lease.Token,
                lease.Url,
                UnixTime.At(lease.AcquiredUnixMs),
                Math.Round(_elector.Settings.Ttl.TotalMilliseconds),
                _elector.LeaseLeft is { } left ? Math.Round(left.TotalMilliseconds) : null
            )
            : null;
        var nodes = _membership.Members.All.Select(member => new NodeResponse(
            member.NodeId,
            member.Role,
            GossipWire.Name(member.State),
            member.Url,
            member.Boot,
            member.Pid,
            member.Version,
            UnixTime.At(member.StartedAtUnixMs)
        ));
        var services = Services()
            .Select(service => new ServiceResponse(
                service.Id,
                service.Kind,
                service.Layer,
                service.Url,
                [.. service.Capabilities.Select(c => c.Name)],
                service.Pid,
                service.Version,
                UnixTime.At(service.LastSeenUnixMs)
            ));
        return new ClusterResponse(_node.Cluster, leader, [.. nodes], Devices().Count(IsOnline), [.. services]);
    }

    public static bool IsOnline(DeviceView device) => device.State is not ("offline" or "registering");

    private static Device ToWire(DeviceView device)
    {
        var wire = new Device
        {
            DeviceId = device.DeviceId,
            DeviceType = device.DeviceType,
            DeviceName = device.DeviceName,
            State = device.State,
            LastSeenUnixMs = device.LastSeen.ToUnixTimeMilliseconds(),
            Location = device.Location ?? "",
            Slots = device.Slots,
        };
        wire.Tags.AddRange(device.Tags ?? []);
        return wire;
    }

    private static AccessKey ToWire(ServiceDefaults.Authentication.AccessKey key) =>
        new()
        {
            Id = key.Id,
            Name = key.Name,
            Role = key.Role,
            Hash = key.Hash,
            ExpiresUnixMs = key.Expires?.ToUnixTimeMilliseconds() ?? 0,
        };

    private static Capability ToWire(DeviceCapability capability) =>
        new()
        {
            Name = capability.Name,
            Version = capability.Version,
            Priority = capability.Priority,
            Description = capability.Description ?? "",
            Parameters = capability.Parameters?.GetRawText() ?? "",
        };
}
