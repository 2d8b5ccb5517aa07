using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.State;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Configuration;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/state/restore</c>.</summary>
/// <param name="Snapshot">Its name, from <c>GET /api/v1/state/snapshots</c> on the same node.</param>
/// <param name="Namespaces">Only these; null: all but what Galaxy's parts say of themselves, keys and the audit log,
/// which are never restored.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RestoreRequest(string? Snapshot, IReadOnlyList<string>? Namespaces);

/// <param name="Written">Entries that were set back.</param>
/// <param name="Deleted">Entries that were not in the snapshot.</param>
internal sealed record Restored(int Written, int Deleted);

/// <summary>
/// Snapshots of the answering node. Restoring writes anew, so that it spreads to all nodes like any other change.
/// </summary>
internal static class SnapshotApi
{
    private const int MostDifferences = 500;
    private static readonly string[] Fleeting = ["heartbeats", "metrics"];

    public static void MapSnapshotApi(this IEndpointRouteBuilder endpoints)
    {
        var state = endpoints.MapGroup("/api/v1/state");
        state.ExplainStateErrors();
        state
            .MapGet("/snapshots", (StateJournal journal) => journal.List().Select(View).ToList())
            .WithSummary("The snapshots on the answering node's disk, newest first");
        state
            .MapGet("/snapshots/{name}/diff", Diff)
            .ProducesProblem(404)
            .WithSummary(
                $"What restoring a snapshot would change: the first {MostDifferences} differences to the state as it is"
            );
        state
            .MapPost("/snapshots", (ReplicatedState replica) =>
                replica.TakeSnapshot() is { } taken
                    ? View(taken)
                    : throw new StateRefusedException(
                        507,
                        "This node has no folder for snapshots: set GALAXY_DATA to one that can be written."
                    )
            )
            .Produces<SnapshotView>()
            .WithSummary("Take a snapshot now");
        state
            .MapPost("/restore", Restore)
            .Produces<Restored>()
            .ProducesProblem(404)
            .WithSummary("Set the state back to a snapshot, on all nodes");
    }

    private static List<SnapshotDifference> Diff(string name, StateJournal journal, ReplicatedState replica)
    {
        var then = Entries(Read(name, journal)).ToDictionary(entry => new EntryId(entry.Namespace, entry.Key));
        var now = replica
            .All.Where(entry => !entry.Deleted)
            .ToDictionary(entry => new EntryId(entry.Namespace, entry.Key));
        return
        [
            .. then
                .Keys.Union(now.Keys)
                .Where(id => IsRestored(id.Namespace))
                .OrderBy(id => id.Namespace, StringComparer.Ordinal)
                .ThenBy(id => id.Key, StringComparer.Ordinal)
                .Select(id => (Id: id, Then: then.GetValueOrDefault(id), Now: now.GetValueOrDefault(id)))
                .Where(one =>
                    one.Then is null || one.Now is null || !one.Then.Value.Span.SequenceEqual(one.Now.Value.Span)
                )
                .Take(MostDifferences)
                .Select(one => new SnapshotDifference(
                    one.Id.Namespace,
                    one.Id.Key,
                    one.Then is null ? "added"
                        : one.Now is null ? "removed"
                        : "changed",
                    Shown(one.Id, one.Then),
                    Shown(one.Id, one.Now)
                )),
        ];

        // As the state's own API shows it; of configuration, with its secrets as hints.
        static JsonNode? Shown(EntryId id, StateEntry? entry)
        {
            var value = entry?.ToView().Value;
            return id.Namespace is Replica.Namespaces.Config or Replica.Namespaces.ConfigHistory
                ? ConfigSecrets.Show(value)
                : value;
        }
    }

    private static IEnumerable<StateEntry> Entries(Snapshot body) =>
        body.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>().Where(entry => !entry.Deleted);

    private static Snapshot Read(string name, StateJournal journal)
    {
        try
        {
            return journal.Read(name)
                ?? throw new StateRefusedException(404, $"There is no snapshot '{name}' on this node.");
        }
        catch (InvalidDataException damaged)
        {
            throw new StateRefusedException(409, $"The snapshot '{name}' is damaged: {damaged.Message}.");
        }
    }

    private static Restored Restore(RestoreRequest request, StateJournal journal, ReplicatedState replica)
    {
        if (request.Snapshot is not { Length: > 0 } name)
            throw new StateRefusedException(
                400,
                "'snapshot' is required: the name of one of GET /api/v1/state/snapshots."
            );
        if (request.Namespaces?.FirstOrDefault(ns => !Replica.Namespaces.IsRestorable(ns)) is { } reserved)
            throw new StateRefusedException(
                403,
                $"The namespace '{reserved}' is Galaxy's own and is not set back by a snapshot."
            );
        var then = Entries(Read(name, journal))
            .Where(Chosen)
            .ToDictionary(entry => new EntryId(entry.Namespace, entry.Key));
        var written = then.Count(was =>
            (replica.Get(was.Key.Namespace, was.Key.Key)?.Value.Span.SequenceEqual(was.Value.Value.Span) != true)
            && replica.Write(was.Key, new StateWrite(was.Value.Value, was.Value.Policy, was.Value.Latest.Priority))
                is not null
        );
        var deleted = replica
            .All.Where(entry => !entry.Deleted && Chosen(entry))
            .Select(entry => new EntryId(entry.Namespace, entry.Key))
            .Where(id => !then.ContainsKey(id))
            .ToList()
            .Count(id => replica.Delete(id.Namespace, id.Key));
        return new Restored(written, deleted);

        bool Chosen(StateEntry entry) => request.Namespaces?.Contains(entry.Namespace) ?? IsRestored(entry.Namespace);
    }

    private static bool IsRestored(string ns) => Replica.Namespaces.IsRestorable(ns) && Array.IndexOf(Fleeting, ns) < 0;

    private static SnapshotView View(SnapshotInfo info) =>
        new(info.Name, info.TakenAt, info.Bytes, info.Entries, info.Sha256, info.Problem);
}
