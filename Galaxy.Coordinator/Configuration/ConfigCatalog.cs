using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Configuration;

/// <summary>
/// The configuration documents in replicated state: what is stored is valid when it is written, its last 50 versions
/// are kept, and what is in force is always a valid version. Thread-safe.
/// </summary>
internal sealed partial class ConfigCatalog(
    ReplicatedState replica,
    ConfigSecrets secrets,
    Quarantine quarantine,
    ILogger<ConfigCatalog> log
)
{
    private const int VersionsKept = 50;

    public static string KeyOf(string name, string? node) => node is null ? name : $"nodes/{node}/{name}";

    /// <summary>The document as stored, with its secrets sealed.</summary>
    public StateEntry? Entry(string name, string? node) => replica.Get(Namespaces.Config, KeyOf(name, node));

    public JsonNode? Stored(string name, string? node) =>
        Entry(name, node) is { } entry ? quarantine.Read<JsonNode>(entry) : null;

    /// <summary>
    /// The configuration in force on a node, with secrets sealed: the shared values, then the node's overrides. Null:
    /// nothing is set.
    /// </summary>
    public JsonNode? Effective(ConfigDocument document, string node)
    {
        var shared = Valid(document, null, null);
        return Valid(document, node, shared) ?? shared;
    }

    // Two edits that did not know of each other can merge to something that is not valid. It is never in force: the
    // newest valid version is.
    private JsonNode? Valid(ConfigDocument document, string? node, JsonNode? beneath)
    {
        if (Stored(document.Name, node) is not { } stored)
            return null;
        var merged = beneath is null ? stored : JsonMerge.Patch(beneath, stored);
        if (Complaint(document, merged) is not { } complaint)
            return merged;
        LogInvalid(KeyOf(document.Name, node), complaint);
        return History(document.Name, node)
            .Select(version => beneath is null ? version.Document : JsonMerge.Patch(beneath, version.Document))
            .FirstOrDefault(version => version is not null && Complaint(document, version) is null);
    }

    private string? Complaint(ConfigDocument document, JsonNode? sealedJson) =>
        secrets.OpenAll(sealedJson) is { } json
            ? ConfigSchema.Complaint(document, json)
            : "a document is a JSON object";

    /// <summary>Changes a document when the result is valid.</summary>
    /// <param name="change">From the document as it is (secrets shown as hints, null when there is none) to the new
    /// one; null deletes.</param>
    /// <param name="kind">For the history.</param>
    /// <param name="condition">What the caller's <c>If-Match</c> asks.</param>
    /// <exception cref="StateRefusedException">The schema complains, or the document changed meanwhile.</exception>
    public StateEntry? Change(
        ConfigDocument document,
        string? node,
        Func<JsonNode?, JsonNode?> change,
        string kind,
        string by,
        Action<StateEntry?>? condition
    )
    {
        var before = Entry(document.Name, node);
        var was = before is null ? null : quarantine.Read<JsonNode>(before);
        var wanted = ConfigSchema.Seal(document, change(ConfigSecrets.Show(was)), was, secrets);
        if (wanted is not null)
            Refuse(document, node, wanted);
        return Write(document, node, before, wanted, kind, by, condition);
    }

    /// <summary>Sets a document back to an earlier version, secrets and all.</summary>
    /// <exception cref="StateRefusedException">There is no such version, or the schema of today refuses it.</exception>
    public StateEntry? Rollback(ConfigDocument document, string? node, string version, string by)
    {
        var then = History(document.Name, node).FirstOrDefault(one => one.Version == version)
            ?? throw new StateRefusedException(
                404,
                $"'{KeyOf(document.Name, node)}' has no version '{version}'; see its history."
            );
        if (then.Document is not null)
            Refuse(document, node, then.Document);
        return Write(document, node, Entry(document.Name, node), then.Document, "rollback", by, null);
    }

    private void Refuse(ConfigDocument document, string? node, JsonNode wanted)
    {
        var merged = node is null ? wanted : JsonMerge.Patch(Valid(document, null, null), wanted);
        if (Complaint(document, merged) is { } complaint)
            throw new StateRefusedException(400, $"'{document.Name}' is not valid: {complaint}.");
    }

    private StateEntry? Write(
        ConfigDocument document,
        string? node,
        StateEntry? before,
        JsonNode? wanted,
        string kind,
        string by,
        Action<StateEntry?>? condition
    )
    {
        var id = new EntryId(Namespaces.Config, KeyOf(document.Name, node));
        var policy = document.IsMap ? ConflictPolicy.Merge : ConflictPolicy.Manual;
        var entry = replica.Write(
            id,
            StateWrite.Of(
                wanted is null ? null : JsonSerializer.SerializeToUtf8Bytes(wanted, GalaxyJson.Options),
                policy
            ),
            now =>
            {
                condition?.Invoke(now);
                // Validated against what was read: it must still be there.
                if (!ReferenceEquals(now is { Deleted: true } ? null : now, before))
                    throw new StateRefusedException(
                        409,
                        $"'{id.Key}' was changed by somebody else in this moment. Read it again."
                    );
            }
        );
        if (entry is not null)
            Remember(id.Key, entry, wanted, kind, by);
        return entry;
    }

    private void Remember(string key, StateEntry entry, JsonNode? document, string kind, string by)
    {
        // Sorts by time, names the writer, and fits into a line of a terminal.
        var version = string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Latest.Time.PhysicalMs:x11}-{entry.Latest.Time.Logical:x2}-{entry.Latest.Dot.Origin[^4..]}"
        );
        var record = new JsonObject
        {
            ["by"] = by,
            ["change"] = kind,
            ["document"] = document?.DeepClone(),
        };
        replica.Put(
            Namespaces.ConfigHistory,
            $"{key}/{version}",
            JsonSerializer.SerializeToUtf8Bytes(record, GalaxyJson.Options)
        );
        foreach (var old in Versions(key).Skip(VersionsKept).ToList())
            replica.Delete(Namespaces.ConfigHistory, old.Key);
    }

    /// <summary>Newest first; secrets sealed.</summary>
    public IEnumerable<StoredVersion> History(string name, string? node) =>
        Versions(KeyOf(name, node))
            .Select(entry => quarantine.Use(entry.Namespace, entry.Key, () =>
                {
                    var record = quarantine.Read<JsonNode>(entry);
                    return record is null
                        ? null
                        : new StoredVersion(
                            entry.Key[(entry.Key.LastIndexOf('/') + 1)..],
                            UnixTime.At(entry.Time.PhysicalMs),
                            (string?)record["by"] ?? "",
                            (string?)record["change"] ?? "",
                            record["document"]
                        );
                }))
            .OfType<StoredVersion>();

    private IEnumerable<StateEntry> Versions(string key) =>
        replica
            .List(Namespaces.ConfigHistory)
            .Where(entry =>
                entry.Key.LastIndexOf('/') == key.Length && entry.Key.StartsWith(key, StringComparison.Ordinal)
            )
            .Reverse();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The configuration '{Key}' is not valid ({Complaint}); the last valid version stays in force"
    )]
    private partial void LogInvalid(string key, string complaint);
}

/// <param name="Document">Null: this version deleted it.</param>
internal sealed record StoredVersion(string Version, DateTimeOffset At, string By, string Change, JsonNode? Document);
