using System.Security.Cryptography;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Failover;

/// <summary>The last failovers, newest first, in the store.</summary>
internal sealed class FailoverLog(FencedWriter writer, FencedStores stores, Quarantine quarantine, NodeOptions node)
    : IStoredRecords
{
    private readonly StoreKeys _keys = new(node.Cluster);
    private const int Kept = 100;

    /// <summary>
    /// Writes the record. May be repeated: when an answer is missing, it is unknown whether the record was written.
    /// </summary>
    public Task WriteAsync(FailoverRecord record) => writer.WriteAsync(Commands(record));

    internal FencedCommand[] Commands(FailoverRecord record)
    {
        var text = JsonSerializer.Serialize(record, GalaxyJson.Options);
        return
        [
            new("LREM", _keys["failovers"], "0", text),
            new("LPUSH", _keys["failovers"], text),
            new("LTRIM", _keys["failovers"], "0", $"{Kept - 1}"),
        ];
    }

    /// <summary>Each failover once.</summary>
    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public async Task<IReadOnlyList<FailoverRecord>> ReadAsync()
    {
        var items = await ItemsAsync();
        var ids = items.Select(IdOf).ToHashSet(StringComparer.Ordinal);
        quarantine.Keep(Kind, ids.Contains);
        return
        [
            .. items
                .Select(item => quarantine.Read<FailoverRecord>(Kind, IdOf(item), (byte[])item!))
                .OfType<FailoverRecord>()
                .DistinctBy(record => record.Id),
        ];
    }

    public string Kind => "failovers";

    public Task ReadAgainAsync(string id) => ReadAsync();

    public async Task DeleteAsync(string id)
    {
        var items = await ItemsAsync();
        await writer.WriteAsync([
            .. items
                .Where(item => IdOf(item) == id)
                .Select(item => new FencedCommand("LREM", _keys["failovers"], "0", item)),
        ]);
    }

    private async Task<RedisValue[]> ItemsAsync()
    {
        try
        {
            return await stores.Reader.ListRangeAsync(_keys["failovers"], 0, Kept - 1);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }

    // A record that cannot be read has no name of its own.
    private static string IdOf(RedisValue item) =>
        Convert.ToHexStringLower(SHA256.HashData((byte[])item!).AsSpan(0, 8));
}
