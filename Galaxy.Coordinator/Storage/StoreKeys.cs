namespace Galaxy.Coordinator.Storage;

/// <summary>The store's keys of a cluster; all in one slot of a Redis Cluster.</summary>
internal sealed class StoreKeys(string cluster)
{
    private readonly string _prefix = $"{{galaxy:{cluster}}}:";

    public string this[string name] => _prefix + name;
}
