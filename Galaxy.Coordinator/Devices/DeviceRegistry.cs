using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Devices;

/// <summary>The devices, in replicated state: they survive any coordinator.</summary>
internal sealed class DeviceRegistry(ReplicatedState replica, Quarantine quarantine)
{
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(10);

    public DeviceView? Get(string deviceId) =>
        replica.Get(Namespaces.Devices, deviceId) is { } entry
            ? quarantine.Read<DeviceView>(entry, device => device.DeviceId)
            : null;

    public IReadOnlyList<DeviceView> List() =>
        [
            .. replica
                .List(Namespaces.Devices)
                .Select(entry => quarantine.Read<DeviceView>(entry, device => device.DeviceId))
                .OfType<DeviceView>(),
        ];

    public void Put(DeviceView device) =>
        replica.Put(
            Namespaces.Devices,
            device.DeviceId,
            JsonSerializer.SerializeToUtf8Bytes(device, GalaxyJson.Options)
        );

    /// <summary>False: it was not registered.</summary>
    public bool Remove(string deviceId) =>
        replica.Get(Namespaces.Devices, deviceId) is not null && replica.Delete(Namespaces.Devices, deviceId);

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

    /// <summary>An id that can be used in an address and a log line.</summary>
    public static bool IsValidId(string? id) =>
        id is { Length: > 0 and <= 128 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
