using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults;

namespace Galaxy.Coordinator.Groups;

/// <summary>Groups of devices, in replicated state.</summary>
internal sealed class GroupRegistry(GossipNode gossip, Quarantine quarantine)
{
    public GroupView? Get(string groupId) =>
        gossip.Get(Namespaces.Groups, groupId) is { } entry ? quarantine.Read<GroupView>(entry) : null;

    public IReadOnlyList<GroupView> List() =>
        [.. gossip.List(Namespaces.Groups).Select(quarantine.Read<GroupView>).OfType<GroupView>()];

    public void Put(GroupView group) => gossip.Put(Namespaces.Groups, group.GroupId, JsonSerializer.SerializeToUtf8Bytes(group, GalaxyJson.Options));

    /// <summary>False: there was none.</summary>
    public bool Remove(string groupId) => gossip.Get(Namespaces.Groups, groupId) is not null && gossip.Delete(Namespaces.Groups, groupId);
}
