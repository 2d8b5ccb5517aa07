using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Groups;

/// <summary>
/// Groups of devices, in replicated state: a record for each group, and an entry for each membership
/// (<c>group/device</c>). Adding or removing a device writes that one entry and reads none, so that changes of
/// different devices never overwrite each other, on whichever coordinators they are made. Of two changes of one device
/// the later holds. Thread-safe.
/// </summary>
internal sealed class GroupRegistry(ReplicatedState replica, Quarantine quarantine)
{
    private static readonly ReadOnlyMemory<byte> Member = "true"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> NoMember = "false"u8.ToArray();

    /// <summary>What is stored of a group.</summary>
    /// <param name="Devices">
    /// Members as the version before wrote them, all in the record. They count unless an entry says otherwise. The
    /// record is not rewritten before the group is replaced: two coordinators that did so at once would each undo a
    /// change of the other.
    /// </param>
    private sealed record GroupRecord(string? Name, IReadOnlyList<string?>? Devices);

    /// <summary>Null: there is no such group, or its record cannot be read.</summary>
    public GroupView? Get(string groupId) =>
        replica.Get(Namespaces.Groups, groupId) is { } entry && Read(entry) is { } record
            ? View(groupId, record, replica.List(Namespaces.GroupMembers, groupId + "/"))
            : null;

    /// <summary>Those whose record can be read.</summary>
    public IReadOnlyList<GroupView> List()
    {
        var members = replica
            .List(Namespaces.GroupMembers)
            .ToLookup(entry => entry.Key.Split('/')[0], StringComparer.Ordinal);
        return
        [
            .. replica
                .List(Namespaces.Groups)
                .Select(entry => Read(entry) is { } record ? View(entry.Key, record, members[entry.Key]) : null)
                .OfType<GroupView>(),
        ];
    }

    /// <summary>
    /// Makes the group, or replaces it with its members: a device that is not named and was a member by now is one no
    /// longer.
    /// </summary>
    /// <returns>As it is read from now on.</returns>
    public GroupView Put(string groupId, string name, IReadOnlyCollection<string> devices)
    {
        replica.Put(
            Namespaces.Groups,
            groupId,
            JsonSerializer.SerializeToUtf8Bytes(new GroupView(groupId, name, []), GalaxyJson.Options)
        );
        var wanted = devices.ToHashSet(StringComparer.Ordinal);
        foreach (var device in wanted)
            replica.Put(Namespaces.GroupMembers, Key(groupId, device), Member);
        RemoveMembers(groupId, device => !wanted.Contains(device));
        return new GroupView(groupId, name, [.. wanted.Order(StringComparer.Ordinal)]);
    }

    /// <summary>
    /// Written also when it is a member already: a removal elsewhere that has not arrived yet is the earlier one.
    /// </summary>
    public void Add(string groupId, string device) =>
        replica.Put(Namespaces.GroupMembers, Key(groupId, device), Member);

    /// <summary>
    /// Written also when it is no member here: an addition elsewhere that has not arrived yet is the earlier one.
    /// </summary>
    public void Remove(string groupId, string device)
    {
        replica.Put(Namespaces.GroupMembers, Key(groupId, device), NoMember);
        if (!IsInRecord(groupId, device))
            replica.Delete(Namespaces.GroupMembers, Key(groupId, device));
    }

    /// <summary>Removes the group with its members. False: there was none.</summary>
    public bool Remove(string groupId)
    {
        if (!replica.Delete(Namespaces.Groups, groupId))
            return false;
        RemoveMembers(groupId, _ => true);
        return true;
    }

    private void RemoveMembers(string groupId, Func<string, bool> isOver)
    {
        foreach (
            var entry in replica.List(Namespaces.GroupMembers, groupId + "/").Where(entry => isOver(DeviceOf(entry)))
        )
            replica.Delete(entry.Namespace, entry.Key);
    }

    private bool IsInRecord(string groupId, string device) =>
        replica.Get(Namespaces.Groups, groupId) is { } entry
        && Read(entry)?.Devices?.Contains(device, StringComparer.Ordinal) == true;

    private static string Key(string groupId, string device) => $"{groupId}/{device}";

    private static string DeviceOf(StateEntry entry) =>
        entry.Key[(entry.Key.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static GroupView View(string groupId, GroupRecord record, IEnumerable<StateEntry> members)
    {
        var devices = new SortedSet<string>((record.Devices ?? []).OfType<string>(), StringComparer.Ordinal);
        foreach (var entry in members)
        {
            if (entry.Value.Span.SequenceEqual(Member.Span))
                devices.Add(DeviceOf(entry));
            else
                devices.Remove(DeviceOf(entry));
        }
        return new GroupView(groupId, record.Name ?? groupId, [.. devices]);
    }

    private GroupRecord? Read(StateEntry entry) => quarantine.Read<GroupRecord>(entry);
}
