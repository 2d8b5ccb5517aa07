using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Failover;

/// <summary>The last failovers, newest first, in the store.</summary>
internal sealed class FailoverLog(FencedWriter writer, FencedStores stores, NodeOptions node)
{
    private readonly StoreKeys _keys = new(node.Cluster);
    private const int Kept = 100;

    public Task WriteAsync(FailoverRecord record) => writer.WriteAsync(
        new FencedCommand("LPUSH", _keys["failovers"], JsonSerializer.Serialize(record, GalaxyJson.Options)),
        new FencedCommand("LTRIM", _keys["failovers"], "0", $"{Kept - 1}"));

    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public async Task<IReadOnlyList<FailoverRecord>> ReadAsync()
    {
        try
        {
            var items = await stores.Reader.ListRangeAsync(_keys["failovers"], 0, Kept - 1);
            return [.. items.Select(item => JsonSerializer.Deserialize<FailoverRecord>((string)item!, GalaxyJson.Options)).OfType<FailoverRecord>()];
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }
}
