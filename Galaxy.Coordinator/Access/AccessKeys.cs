using System.Text.Json;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Access;

/// <summary>
/// The access keys that have been issued, in replicated state: every coordinator can identify callers, with or without
/// a leader. Thread-safe.
/// </summary>
internal sealed class AccessKeys(ReplicatedState replica, Elector elector, Quarantine quarantine) : IAccessDirectory
{
    private const int Most = 10_000;

    private Tuple<StateEntry, AccessKey>? _last;

    /// <inheritdoc />
    public bool IsComplete => elector.Leader is not null;

    public AccessKey? Find(string id)
    {
        if (replica.Get(Namespaces.Access, id) is not { } entry)
            return null;
        if (_last is { } last && ReferenceEquals(last.Item1, entry))
            return last.Item2;
        var key = quarantine.Read<AccessKey>(entry, key => key.Id);
        if (key is not null)
            _last = Tuple.Create(entry, key);
        return key;
    }

    /// <summary>By name.</summary>
    public IReadOnlyList<AccessKey> List() =>
        [
            .. replica
                .List(Namespaces.Access)
                .Select(entry => quarantine.Read<AccessKey>(entry, key => key.Id))
                .OfType<AccessKey>()
                .OrderBy(key => key.Name, StringComparer.Ordinal),
        ];

    /// <summary>False: there are as many as there may be.</summary>
    public bool TryPut(AccessKey key)
    {
        if (replica.List(Namespaces.Access).Count >= Most)
            return false;
        replica.Put(Namespaces.Access, key.Id, JsonSerializer.SerializeToUtf8Bytes(key, GalaxyJson.Options));
        return true;
    }

    /// <summary>False: there was none.</summary>
    public bool Withdraw(string id) =>
        replica.Get(Namespaces.Access, id) is not null && replica.Delete(Namespaces.Access, id);
}
