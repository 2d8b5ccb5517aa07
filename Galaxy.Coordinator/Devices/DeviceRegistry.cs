using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Devices;

/// <summary>The devices, in replicated state: they survive any coordinator.</summary>
internal sealed class DeviceRegistry(GossipNode gossip, Quarantine quarantine)
{
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(10);

    public DeviceView? Get(string deviceId) =>
        gossip.Get(Namespaces.Devices, deviceId) is { } entry
            ? quarantine.Read<DeviceView>(entry, device => device.DeviceId)
            : null;

    public IReadOnlyList<DeviceView> List() =>
        [
            .. gossip
                .List(Namespaces.Devices)
                .Select(entry => quarantine.Read<DeviceView>(entry, device => device.DeviceId))
                .OfType<DeviceView>(),
        ];

    public void Put(DeviceView device) =>
        gossip.Put(
            Namespaces.Devices,
            device.DeviceId,
            JsonSerializer.SerializeToUtf8Bytes(device, GalaxyJson.Options)
        );

    /// <summary>False: it was not registered.</summary>
    public bool Remove(string deviceId) =>
        gossip.Get(Namespaces.Devices, deviceId) is not null && gossip.Delete(Namespaces.Devices, deviceId);

    /// <summary>
    /// Changes what is registered, when it is; last-seen alone replicates at most every ten minutes: ten thousand
    /// heartbeats are no news.
    /// </summary>
    public void Update(string deviceId, Func<DeviceView, DeviceView> update)
    {
        if (Get(deviceId) is not { } before)
            return;
        var after = update(before);
        if (before with { LastSeen = after.LastSeen } == after && after.LastSeen - before.LastSeen < SeenEvery)
            return;
        Put(after);
    }

    /// <summary>An id that can stand in an address and a log line.</summary>
    public static bool IsValidId(string? id) =>
        id is { Length: > 0 and <= 128 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
