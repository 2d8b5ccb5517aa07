using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Backup;

/// <param name="Entries">Of the replicated state, configuration and keys of the cluster included.</param>
/// <param name="Keys">Of the store: tasks, failovers, keys and accounts of the models.</param>
internal sealed record BackupRestored(string Cluster, DateTimeOffset CreatedAt, int Entries, int Keys, long Tasks);

/// <summary>
/// Everything of a cluster in one file, and an empty cluster made of it: state, configuration, groups, failover
/// settings, access keys; tasks and their results, failovers; keys and accounts of the models. Not: the lease, the
/// members that are present, the audit log, issued join tokens.
/// </summary>
internal sealed partial class Backups(
    ReplicatedState replica,
    FencedStores fenced,
    FencedWriter writer,
    RedisStores stores,
    TaskEngine tasks,
    Elector elector,
    Quarantine quarantine,
    NodeOptions node,
    TimeProvider time,
    ILogger<Backups> log
) : IDisposable
{
    private const int CommandsPerWrite = 200;
    private const string OneApiPrefix = "oneapi:";
    private const string Running = "restoring";

    // What parts say of themselves, and say again where they are started.
    private static readonly string[] Fleeting =
    [
        Namespaces.Services,
        Namespaces.Devices,
        "heartbeats",
        "metrics",
        Namespaces.Audit,
    ];

    private readonly StoreKeys _keys = new(node.Cluster);
    private readonly SemaphoreSlim _one = new(1, 1);

    private string ApiKey => node.ApiKey ?? "development";

    /// <exception cref="StateRefusedException">The store does not answer.</exception>
    public async Task<byte[]> TakeAsync()
    {
        try
        {
            var entries = replica
                .All.Where(entry => !entry.Deleted && Array.IndexOf(Fleeting, entry.Namespace) < 0)
                .Select(entry => new BackupEntry(
                    entry.Namespace,
                    entry.Key,
                    entry.Value.ToArray(),
                    entry.Policy.ToString(),
                    entry.Latest.Priority
                ))
                .ToList();
            var exclusive = await StoreDump.ReadAsync(
                fenced.Reader.Multiplexer,
                _keys,
                name =>
                    !IsOneApi(name)
                    && name != Running
                    && !name.StartsWith("join:", StringComparison.Ordinal)
                    && !name.StartsWith(StoreShape.AsidePrefix, StringComparison.Ordinal),
                SetAside
            );
            // Of a quorum OneApi counts in the first only.
            var models = await StoreDump.ReadAsync(stores.All[0], _keys, IsOneApi, SetAside);
            List<BackupKey> keys = [.. exclusive, .. models];
            var count = keys.Count(key => key.Name.StartsWith("task:", StringComparison.Ordinal));
            var header = new BackupHeader(
                BackupFile.Format,
                node.Cluster,
                BuildVersion.Text,
                time.GetUtcNow(),
                BackupFile.KeyCheck(ApiKey),
                entries.Count,
                keys.Count,
                count
            );
            return BackupFile.Encode(header, new BackupBody(entries, keys), ApiKey);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StateRefusedException(
                503,
                "The store does not answer, so there would be no tasks in the backup. Try again when "
                    + "`galaxy status` names a leader."
            );
        }
    }

    /// <summary>
    /// Makes this cluster what the backup says. Nothing is written before all of it has been read and checked.
    /// </summary>
    /// <param name="oldKey">The key that it was made under; null: this cluster's.</param>
    /// <exception cref="StateRefusedException">It is damaged, or this cluster is not empty.</exception>
    public async Task<BackupRestored> RestoreAsync(ReadOnlyMemory<byte> file, string? oldKey)
    {
        var (header, entries, keys) = Read(file.Span, oldKey);
        if (!await _one.WaitAsync(0))
            throw new StateRefusedException(409, "A backup is being restored already.");
        try
        {
            var term = elector.CurrentToken ?? throw new NotLeaderException();
            var mark = $"{header.Cluster} {header.CreatedAt:O}";
            await RefuseUnlessEmptyAsync(mark);
            await tasks.UnloadAsync();
            try
            {
                await writer.WriteAsync(term, [new FencedCommand("SET", _keys[Running], mark)]);
                // A list that was written before it broke off would be twice as long.
                var commands = keys.Where(key => !IsOneApi(key.Name))
                    .SelectMany(key =>
                        StoreDump
                            .Commands(key)
                            .Select(one => new FencedCommand(one.Command, _keys[key.Name], one.Arguments))
                            .Prepend(new FencedCommand("DEL", _keys[key.Name]))
                    );
                foreach (var some in commands.Chunk(CommandsPerWrite))
                    await writer.WriteAsync(term, some);
                await WriteOneApiAsync(keys.Where(key => IsOneApi(key.Name)));
                foreach (var (id, write) in entries)
                    replica.Write(id, write);
                await writer.WriteAsync(term, [new FencedCommand("DEL", _keys[Running])]);
            }
            finally
            {
                await tasks.LoadAsync(term);
            }
            LogRestored(header.Cluster, header.CreatedAt, entries.Count, keys.Count);
            return new BackupRestored(header.Cluster, header.CreatedAt, entries.Count, keys.Count, header.Tasks);
        }
        finally
        {
            _one.Release();
        }
    }

    private (BackupHeader Header, IReadOnlyList<(EntryId, StateWrite)> Entries, IReadOnlyList<BackupKey> Keys) Read(
        ReadOnlySpan<byte> file,
        string? oldKey
    )
    {
        try
        {
            var key = oldKey ?? ApiKey;
            var (header, body) = BackupFile.Decode(file, key);
            var old = new ConfigSecrets(node with { ApiKey = key, Cluster = header.Cluster });
            var own = new ConfigSecrets(node);
            var entries = body
                .Entries.Select(entry =>
                    (
                        new EntryId(entry.Namespace, entry.Key),
                        new StateWrite(
                            Resealed(entry, old, own),
                            Enum.TryParse<ConflictPolicy>(entry.Policy, out var policy)
                                ? policy
                                : throw new InvalidDataException($"it has an entry with the policy '{entry.Policy}'"),
                            entry.Priority
                        )
                    )
                )
                .ToList();
            // Whether each can be written is asked before the first one is.
            foreach (var one in body.Keys)
                _ = StoreDump.Commands(one).Count();
            return (header, entries, body.Keys);
        }
        catch (Exception bad) when (bad is InvalidDataException or JsonException)
        {
            throw new StateRefusedException(400, $"The backup is refused, and nothing of it was taken: {bad.Message}.");
        }
    }

    private void SetAside(string name, RedisType type) =>
        quarantine.Add("store", name, $"The key is a {type}, which Galaxy keeps nowhere. It is in no backup.", 0);

    // Secrets are sealed under a key of the cluster that they were set in. A document that could not be read there
    // cannot be here either, and stays as it is.
    private static ReadOnlyMemory<byte> Resealed(BackupEntry entry, ConfigSecrets old, ConfigSecrets own)
    {
        if (
            entry.Namespace is not (Namespaces.Config or Namespaces.ConfigHistory)
            || JsonInput.Validate(entry.Value) is not null
            || JsonNode.Parse(entry.Value) is not { } document
        )
            return entry.Value;
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(own.Reseal(document, old), GalaxyJson.Options);
        }
        catch (Exception bad) when (bad is InvalidOperationException or FormatException or CryptographicException)
        {
            return entry.Value;
        }
    }

    private async Task RefuseUnlessEmptyAsync(string mark)
    {
        // One that broke off is done again.
        if (await fenced.Reader.StringGetAsync(_keys[Running]) == mark)
            return;
        var entries = replica.All.Count(entry =>
            !entry.Deleted
            && Array.IndexOf(Fleeting, entry.Namespace) < 0
            && entry.Namespace is not (Namespaces.Failover or Namespaces.Config or Namespaces.ConfigHistory)
        );
        var kept = tasks.KeptCount;
        if (entries > 0 || kept > 0)
        {
            throw new StateRefusedException(
                409,
                $"This cluster is not empty: it has {entries} entries of state and {kept} tasks. A backup "
                    + "is restored on a new cluster: stop everything, move the data folders away, start again."
            );
        }
    }

    private async Task WriteOneApiAsync(IEnumerable<BackupKey> keys)
    {
        var store = stores.All[0].GetDatabase();
        foreach (var key in keys)
        {
            await store.KeyDeleteAsync(_keys[key.Name]);
            foreach (var (command, arguments) in StoreDump.Commands(key))
                await store.ExecuteAsync(
                    command,
                    [(RedisKey)_keys[key.Name], .. arguments.Select(argument => (object)argument)]
                );
        }
        await StoreCommit.AfterWriteAsync(store);
    }

    public void Dispose() => _one.Dispose();

    private static bool IsOneApi(string name) => name.StartsWith(OneApiPrefix, StringComparison.Ordinal);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Restored the backup of {Cluster} of {CreatedAt}: {Entries} entries, {Keys} keys of the store"
    )]
    private partial void LogRestored(string cluster, DateTimeOffset createdAt, int entries, int keys);
}
