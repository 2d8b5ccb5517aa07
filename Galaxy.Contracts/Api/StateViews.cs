using System.Text.Json.Nodes;

namespace Galaxy.Contracts.Api;

/// <summary>An entry of the replicated state.</summary>
/// <param name="Value">The value when it is JSON.</param>
/// <param name="ValueBase64">The value when it is not.</param>
/// <param name="Etag">
/// Names exactly what was read; send it as <c>If-Match</c> to write only when the answering coordinator knows of no
/// change since. No lock: another coordinator may accept another write at the same time.
/// </param>
/// <param name="Policy">How concurrent writes are read: <c>last_write_wins</c>, <c>first_write_wins</c>, <c>merge</c>,
/// <c>highest_priority</c>, <c>manual</c>.</param>
/// <param name="Origin">The writer of what is served; null for a merged value.</param>
/// <param name="Contested">Concurrent writes wait for a person to decide.</param>
public sealed record StateEntryView(
    string Namespace,
    string Key,
    JsonNode? Value,
    string? ValueBase64,
    string Etag,
    string Policy,
    int Priority,
    DateTimeOffset UpdatedAt,
    string? Origin,
    bool Contested
);

/// <param name="Next">The key to continue after; null: these were the last.</param>
public sealed record StatePage(IReadOnlyList<StateEntryView> Entries, string? Next);

/// <param name="Namespaces">Entries by namespace, tombstones not counted.</param>
/// <param name="Bytes">What all entries take, tombstones included.</param>
public sealed record StateOverview(
    IReadOnlyDictionary<string, int> Namespaces,
    int Entries,
    long Bytes,
    long LimitBytes,
    int Conflicts
);

/// <summary>Writes of one key that did not know of each other.</summary>
public sealed record StateConflict(string Namespace, string Key, string Etag, IReadOnlyList<StateSibling> Siblings);

/// <param name="Write">Names the write, for <c>choose</c>.</param>
/// <param name="Origin">The writer: the node's name, then <c>~</c> and a mark of its data folder.</param>
/// <param name="Deleted">This one deletes the key.</param>
public sealed record StateSibling(
    string Write,
    string Origin,
    DateTimeOffset WrittenAt,
    bool Deleted,
    JsonNode? Value,
    string? ValueBase64
);

/// <summary>A change as <c>GET /api/v1/state/watch</c> sends it.</summary>
/// <param name="Entry">The entry as it is when it is told, so that the last of several changes stands for all of them;
/// null: the key is gone.</param>
public sealed record StateChange(string Namespace, string Key, StateEntryView? Entry);

/// <summary>A snapshot on the answering node's disk.</summary>
/// <param name="Problem">Null: whole.</param>
public sealed record SnapshotView(
    string Name,
    DateTimeOffset TakenAt,
    long Bytes,
    int Entries,
    string Sha256,
    string? Problem
);

/// <summary>What differs between a snapshot and the state as it is.</summary>
/// <param name="Change"><c>added</c>: since the snapshot; <c>removed</c>; <c>changed</c>.</param>
public sealed record SnapshotDifference(string Namespace, string Key, string Change, JsonNode? Then, JsonNode? Now);

/// <summary><c>GET /api/v1/sync/status</c>: the answering node and what it knows of the others.</summary>
/// <param name="Versions">The version vector: of each writer, how many of its writes are known here.</param>
public sealed record SyncStatus(
    string NodeId,
    string Origin,
    int Entries,
    long Bytes,
    long Writes,
    IReadOnlyList<SyncPeer> Peers,
    IReadOnlyDictionary<string, long> Versions
);

/// <param name="LagWrites">Writes known here that the peer had not seen when it last spoke; null: not heard
/// yet.</param>
/// <param name="LastExchange">When it last spoke.</param>
/// <param name="BytesSent">Gossip messages to it since this process started, before compression and framing.</param>
/// <param name="RttMs">Of the last exchange.</param>
/// <param name="ClockOffsetMs">The peer's clock minus ours, give or take half the round trip; null: it does not
/// say.</param>
public sealed record SyncPeer(
    string NodeId,
    string State,
    long? LagWrites,
    DateTimeOffset? LastExchange,
    long BytesSent,
    long BytesReceived,
    double? RttMs,
    double? ClockOffsetMs
);
