using System.Globalization;
using Galaxy.Coordinator.Fencing;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Election;

/// <summary>The store's keys of a cluster; all in one slot of a Redis Cluster.</summary>
internal sealed class StoreKeys(string cluster)
{
    private readonly string _prefix = $"{{galaxy:{cluster}}}:";

    public string this[string name] => _prefix + name;
}
