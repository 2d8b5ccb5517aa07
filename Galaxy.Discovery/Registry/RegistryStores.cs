using Galaxy.ServiceDefaults.Store;

namespace Galaxy.Discovery.Registry;

/// <summary>The connections to the cluster's stores; null when none is configured: then there is no registry.</summary>
internal sealed record RegistryStores(RedisStores? Stores);
