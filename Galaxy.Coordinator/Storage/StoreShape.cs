using Galaxy.ServiceDefaults.Nodes;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// The keys of the store that hold many records, each of the type that the commands on it expect. One of another type
/// makes every write to it fail, and with it all that the write was to do together: such a key is renamed to
/// <c>set-aside:…</c> when a term begins, and shown in the quarantine.
/// </summary>
internal sealed class StoreShape(FencedWriter writer, FencedStores stores, Quarantine quarantine, NodeOptions node)
    : IStoredRecords
{
    /// <summary>Before the names of keys that were moved away.</summary>
    public const string AsidePrefix = "set-aside:";

    private static readonly (string Name, RedisType Type)[] Expected =
    [
        ("tasks:index", RedisType.String),
        ("tasks:callbacks", RedisType.SortedSet),
        ("failovers", RedisType.List),
        ("joins", RedisType.Hash),
    ];

    private readonly StoreKeys _keys = new(node.Cluster);

    public string Kind => "store";

    /// <summary>Moves what is in the way out of it.</summary>
    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public async Task MendAsync(long term)
    {
        var found = await TypesAsync();
        foreach (var (name, type, aside) in found)
        {
            var isWrong = type != RedisType.None && type != TypeOf(name);
            if (isWrong)
                await writer.WriteAsync(term, Moving(name));
            if (isWrong || aside != RedisType.None)
                quarantine.Add(
                    Kind,
                    name,
                    $"The key is a {(isWrong ? type : aside)}, and Galaxy keeps a {TypeOf(name)} there. It "
                        + $"was renamed to {AsidePrefix}{name}.",
                    0
                );
        }
    }

    /// <summary>It was moved away for good: only deleting it helps.</summary>
    public Task ReadAgainAsync(string id) => Task.CompletedTask;

    public Task DeleteAsync(string id) =>
        writer.WriteAsync(new FencedCommand("DEL", _keys[Expected.Any(one => one.Name == id) ? AsidePrefix + id : id]));

    internal FencedCommand[] Moving(string name) => [new("RENAME", _keys[name], _keys[AsidePrefix + name])];

    private async Task<IReadOnlyList<(string Name, RedisType Type, RedisType Aside)>> TypesAsync()
    {
        try
        {
            var types = await Task.WhenAll(
                Expected
                    .SelectMany(one => new[] { one.Name, AsidePrefix + one.Name })
                    .Select(name => stores.Reader.KeyTypeAsync(_keys[name]))
            );
            return [.. Expected.Select((one, i) => (one.Name, types[2 * i], types[(2 * i) + 1]))];
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }

    private static RedisType TypeOf(string name) => Array.Find(Expected, one => one.Name == name).Type;
}
