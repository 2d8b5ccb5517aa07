using System.Collections.Concurrent;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// The sockets open to this process, at most one per device: a newer one replaces an older one. Thread-safe.
/// </summary>
internal sealed class DeviceHub
{
    private readonly ConcurrentDictionary<string, DeviceSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>A device said hello on this socket.</summary>
    public event Action<DeviceSession>? Joined;

    /// <summary>The socket of a device is gone and no newer one took its place.</summary>
    public event Action<string>? Gone;

    /// <summary>A device has said something of its state.</summary>
    public event Action<string>? Changed;

    public int Count => _sessions.Count;

    public DeviceSession? Find(string deviceId) => _sessions.GetValueOrDefault(deviceId);

    public IEnumerable<string> DeviceIds => _sessions.Keys;

    public void Add(DeviceSession session)
    {
        _sessions.AddOrUpdate(session.DeviceId, session, (_, older) =>
        {
            if (older != session)
                older.Close("replaced by a newer connection of the same device");
            return session;
        });
        Joined?.Invoke(session);
    }

    public void Remove(DeviceSession session)
    {
        if (_sessions.TryRemove(KeyValuePair.Create(session.DeviceId, session)))
            Gone?.Invoke(session.DeviceId);
    }

    public void Tell(string deviceId) => Changed?.Invoke(deviceId);

    public void CloseAll(string reason)
    {
        foreach (var session in _sessions.Values)
            session.Close(reason);
    }
}
