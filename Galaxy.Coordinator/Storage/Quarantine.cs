using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;
using Google.Protobuf;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Stored records that cannot be read or used: each is set aside with its reason, and everything else goes on. A record
/// stays where it is stored; it is tried again whenever it is read, and leaves the list once that succeeds.
/// Thread-safe.
/// </summary>
internal sealed partial class Quarantine
{
    /// <summary>The kind of a task in the store; replicated records have their namespace as kind.</summary>
    public const string Tasks = "tasks";

    private const int MaxListed = 10_000;

    /// <param name="IsReadable">It can be read and not used: reading it once more proves nothing.</param>
    private sealed record Entry(QuarantinedRecord Record, bool IsReadable);

    private readonly ConcurrentDictionary<(string Kind, string Id), Entry> _records = new();
    private readonly TimeProvider _time;
    private readonly ILogger<Quarantine> _log;

    public Quarantine(TimeProvider time, IMeterFactory meters, ILogger<Quarantine> log)
    {
        (_time, _log) = (time, log);
        meters
            .Create("Galaxy.Coordinator.Quarantine")
            .CreateObservableGauge(
                "galaxy.quarantine.records",
                () => _records.Count,
                "{record}",
                "Stored records that cannot be read or used"
            );
    }

    /// <summary>In the order in which they were found.</summary>
    public IReadOnlyList<QuarantinedRecord> List() =>
        [.. _records.Values.Select(entry => entry.Record).OrderBy(record => record.Since)];

    public bool Contains(string kind, string id) => !_records.IsEmpty && _records.ContainsKey((kind, id));

    /// <summary>A record as JSON; null: it is set aside.</summary>
    /// <param name="name">What the record calls itself, which must be its id; null: it has no name.</param>
    /// <param name="releases">A record that can be read is well again. False: more has to be done for it than to read
    /// it.</param>
    public T? Read<T>(
        string kind,
        string id,
        ReadOnlySpan<byte> json,
        Func<T, string?>? name = null,
        bool releases = true
    )
        where T : class
    {
        try
        {
            // Records of former versions may hold what the edge refuses today.
            if (JsonInput.Validate(json, MaxStoredDepth) is { } error)
                throw new JsonException(error.ToString());
            var record = JsonSerializer.Deserialize<T>(json, GalaxyJson.Options)
                ?? throw new JsonException("It is null.");
            if (name is not null)
                Named(id, record, name);
            if (releases && !_records.IsEmpty && _records.TryGetValue((kind, id), out var entry) && !entry.IsReadable)
                Release(kind, id);
            return record;
        }
        catch (Exception failure) when (IsOfData(failure))
        {
            Add(kind, id, failure.Message, json.Length, isReadable: false);
            return null;
        }
    }

    /// <inheritdoc cref="Read{T}(string, string, ReadOnlySpan{byte}, Func{T, string}, bool)"/>
    public T? Read<T>(StateEntry entry)
        where T : class => Read<T>(entry.Namespace, entry.Key, entry.Value.Span);

    /// <summary>
    /// A replicated record that names itself; null: it is set aside, since it cannot be read, or goes by a name that
    /// may be another's.
    /// </summary>
    public T? Read<T>(StateEntry entry, Func<T, string?> name)
        where T : class => Read(entry.Namespace, entry.Key, entry.Value.Span, name);

    /// <inheritdoc cref="Read{T}(StateEntry, Func{T, string})"/>
    public T? Parse<T>(StateEntry entry, MessageParser<T> parser, Func<T, string?> name)
        where T : class, IMessage<T> =>
        Use(entry.Namespace, entry.Key, () => Named(entry.Key, parser.ParseFrom(entry.Value.Span), name));

    private static T Named<T>(string id, T record, Func<T, string?> name) =>
        name(record) is var own && own == id ? record : throw new FormatException($"It calls itself '{own}'.");

    /// <summary>A replicated record as a protobuf message; null: it is set aside.</summary>
    public T? Parse<T>(StateEntry entry, MessageParser<T> parser)
        where T : class, IMessage<T> => Use(entry.Namespace, entry.Key, () => parser.ParseFrom(entry.Value.Span));

    /// <summary>What is made of a record; null: it cannot be made, and the record is set aside.</summary>
    public T? Use<T>(string kind, string id, Func<T?> make)
        where T : class
    {
        try
        {
            var made = make();
            // Null: what it is made of was set aside within.
            if (made is not null)
                Release(kind, id);
            return made;
        }
        catch (Exception failure) when (IsOfData(failure))
        {
            Add(kind, id, failure.Message, 0);
            return null;
        }
    }

    /// <summary>Sets a record aside.</summary>
    /// <param name="bytes">Its length; 0: not known.</param>
    /// <param name="isReadable">It can be read, and not used.</param>
    public void Add(string kind, string id, string reason, int bytes, bool isReadable = true)
    {
        if (
            _records.Count >= MaxListed
            || !_records.TryAdd(
                (kind, id),
                new Entry(new QuarantinedRecord(kind, id, reason, bytes, _time.GetUtcNow()), isReadable)
            )
        )
            return;
        LogSetAside(kind, id, reason);
    }

    /// <summary>Forgets what is known of a kind: another node reads these records from now on.</summary>
    public void Clear(string kind) => Keep(kind, _ => false);

    /// <summary>Forgets the records of a kind that are no longer stored.</summary>
    public void Keep(string kind, Func<string, bool> isStored)
    {
        foreach (var (_, id) in _records.Keys.Where(record => record.Kind == kind && !isStored(record.Id)))
            Release(kind, id);
    }

    /// <summary>It is well again, or gone.</summary>
    public void Release(string kind, string id)
    {
        if (!_records.IsEmpty && _records.TryRemove((kind, id), out _))
            LogReleased(kind, id);
    }

    // A record of ours around what was accepted.
    private const int MaxStoredDepth = 60;

    // What bad data does to code that trusts it. The store's own failures are of other types and pass.
    private static bool IsOfData(Exception failure) =>
        failure
            is JsonException
                or InvalidProtocolBufferException
                or InvalidOperationException
                or ArgumentException
                or FormatException
                or OverflowException
                or NotSupportedException
                or NullReferenceException
                or KeyNotFoundException;

    [LoggerMessage(Level = LogLevel.Error, Message = "The record {Id} of {Kind} is set aside: {Reason}")]
    private partial void LogSetAside(string kind, string id, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The record {Id} of {Kind} is no longer set aside")]
    private partial void LogReleased(string kind, string id);
}
