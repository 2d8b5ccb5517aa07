using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Discovery.Registry;

/// <summary>The connections to the cluster's stores; null when none is configured: then there is no registry.</summary>
internal sealed record RegistryStores(RedisStores? Stores)
{
    /// <summary>Does not wait: whoever finds others by multicast needs no store.</summary>
    public static async Task<RegistryStores> ConnectAsync(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("redis") is null && configuration["Aspire:StackExchange:Redis:ConnectionString"] is null)
            return new RegistryStores((RedisStores?)null);
        var stores = await Task.WhenAll(RedisStore.ReadOptions(configuration).Select(options => ConnectionMultiplexer.ConnectAsync(options)));
        return new RegistryStores(new RedisStores([.. stores]));
    }
}
