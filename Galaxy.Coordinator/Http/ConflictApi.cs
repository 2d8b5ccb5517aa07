using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/state/conflicts/{ns}/{key}</c>: one of the two.</summary>
/// <param name="Choose">The sibling to keep, as its <c>write</c> names it.</param>
/// <param name="Value">Another value.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record Resolution(string? Choose, JsonNode? Value);

/// <summary>
/// Entries whose policy is <c>manual</c> and which were written by clients that did not know of each other.
/// </summary>
internal static class ConflictApi
{
    public static void MapConflictApi(this IEndpointRouteBuilder endpoints)
    {
        var conflicts = endpoints.MapGroup("/api/v1/state/conflicts");
        conflicts.ExplainStateErrors();
        conflicts
            .MapGet("", (ReplicatedState replica) =>
                replica.All.Where(entry => entry.IsContested).Select(entry => entry.ToConflict()).ToList()
            )
            .WithSummary("Entries that wait for a person to decide, with every sibling and who wrote it");
        conflicts
            .MapPost("/{ns}/{**key}", Resolve)
            .Produces<StateEntryView>()
            .ProducesProblem(404)
            .WithSummary(
                "Decide: {\"choose\": write} or {\"value\": …}. The decision supersedes all siblings everywhere"
            );
    }

    private static StateEntryView Resolve(
        ReplicatedState replica,
        HttpContext http,
        string ns,
        string key,
        Resolution resolution
    )
    {
        if (resolution.Choose is null == resolution.Value is null)
            throw new StateRefusedException(400, "Give either 'choose', one of the siblings' 'write', or 'value'.");
        // Documents of the configuration are decided here; nothing else of Galaxy's own is kept with siblings.
        var id = ns == Namespaces.Config ? new EntryId(ns, key) : StateApi.Writable(ns, key);
        if (replica.Find(id) is not { IsContested: true } contested)
            throw new StateRefusedException(404, $"There is no conflict at '{id}'.");
        if (ns == Namespaces.Config && resolution.Choose is null)
            throw new StateRefusedException(
                400,
                "A configuration document is decided by 'choose', or by writing it through /api/v1/config, "
                    + "which checks it."
            );
        var write = new StateWrite(
            JsonSerializer.SerializeToUtf8Bytes(resolution.Value, GalaxyJson.Options),
            ConflictPolicy.Manual
        );
        if (resolution.Choose is { } name)
        {
            var chosen = contested.Versions.FirstOrDefault(version => StateViews.Name(version.Dot) == name)
                ?? throw new StateRefusedException(
                    400,
                    $"'choose' is '{name}'; the siblings are {string.Join(", ", contested.Versions.Select(version => StateViews.Name(version.Dot)))}."
                );
            write = new StateWrite(chosen.Deleted ? null : chosen.Value, ConflictPolicy.Manual, chosen.Priority);
        }
        // What arrives in this moment is a new conflict, not one that was decided unseen.
        var seen = StateViews.Etag(contested);
        var entry = replica.Write(id, write, now =>
        {
            if (now is null || StateViews.Etag(now) != seen)
                throw new StateRefusedException(409, "Another write arrived meanwhile: look at the conflict again.");
            StateApi.Condition(http)?.Invoke(now);
        });
        return (entry ?? contested).ToView();
    }
}
