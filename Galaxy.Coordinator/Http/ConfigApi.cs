using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Configuration;
using Galaxy.Coordinator.State;
using Galaxy.Core.Clocks;
using Galaxy.ServiceDefaults.Audit;
using Galaxy.ServiceDefaults.Configuration;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/config/{name}/rollback</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RollbackRequest(string? Version);

/// <summary>
/// The cluster's configuration by REST. Any coordinator serves it; <c>?node=</c> is about one node's overrides.
/// </summary>
internal static class ConfigApi
{
    public static void MapConfigApi(this IEndpointRouteBuilder endpoints)
    {
        var config = endpoints.MapGroup("/api/v1/config");
        config.ExplainStateErrors();
        config
            .MapGet("", (ConfigCatalog catalog, string? node) =>
                ConfigDocument.All.Select(document => View(catalog, document, node)).ToList()
            )
            .WithSummary("Every document with its value; secrets as hints");
        config
            .MapGet("/{name}", (ConfigCatalog catalog, HttpContext http, string name, string? node) =>
                Answer(http, View(catalog, Document(name), node))
            )
            .Produces<ConfigView>()
            .WithSummary("One document");
        config
            .MapGet("/{name}/schema", (string name) => Results.Text(Document(name).Schema, "application/schema+json"))
            .WithSummary("The document's JSON Schema");
        config
            .MapPut("/{name}", (ConfigCatalog catalog, HttpContext http, string name, string? node, JsonNode body) =>
                Change(catalog, http, name, node, "set", _ => body)
            )
            .Produces<ConfigView>()
            .ProducesProblem(400)
            .WithSummary("Replace a document. The schema's complaints are the answer when it is not valid");
        config
            .MapPatch("/{name}", (ConfigCatalog catalog, HttpContext http, string name, string? node, JsonNode body) =>
                Change(catalog, http, name, node, "patch", before => JsonMerge.Patch(before, body))
            )
            .Produces<ConfigView>()
            .ProducesProblem(400)
            .WithSummary("Change parts of a document (JSON Merge Patch)");
        config
            .MapDelete("/{name}", (ConfigCatalog catalog, HttpContext http, string name, string? node) =>
                Change(catalog, http, name, node, "delete", _ => null)
            )
            .Produces<ConfigView>()
            .WithSummary("Delete a document, or a node's override");
        config
            .MapGet("/{name}/history", (ConfigCatalog catalog, string name, string? node) =>
                History(catalog, Document(name), node).ToList()
            )
            .WithSummary("The last 50 versions, newest first");
        config
            .MapGet("/{name}/diff", Diff)
            .WithSummary("What differs between two versions; without 'to': the present document");
        config
            .MapPost("/{name}/rollback", Rollback)
            .Produces<ConfigView>()
            .ProducesProblem(404)
            .WithSummary("Set a document back to an earlier version");
    }

    private static ConfigDocument Document(string name) =>
        ConfigDocument.Find(name)
        ?? throw new StateRefusedException(
            404,
            $"There is no configuration document '{name}'; there are "
                + $"{string.Join(", ", ConfigDocument.All.Select(document => document.Name))}."
        );

    private static ConfigView View(ConfigCatalog catalog, ConfigDocument document, string? node)
    {
        var entry = catalog.Entry(document.Name, Node(node));
        return new ConfigView(
            document.Name,
            node,
            document.Description,
            document.Section,
            ConfigSecrets.Show(catalog.Stored(document.Name, node)),
            entry is null ? null : StateViews.Etag(entry),
            entry is null ? null : UnixTime.At(entry.Time.PhysicalMs),
            entry?.IsContested ?? false
        );
    }

    private static IResult Answer(HttpContext http, ConfigView view)
    {
        if (view.Etag is { } etag)
            http.Response.Headers.ETag = etag;
        return Results.Ok(view);
    }

    private static IResult Change(
        ConfigCatalog catalog,
        HttpContext http,
        string name,
        string? node,
        string kind,
        Func<JsonNode?, JsonNode?> change
    )
    {
        var document = Document(name);
        catalog.Change(document, Node(node), change, kind, By(http), StateApi.Condition(http));
        return Answer(http, View(catalog, document, node));
    }

    private static IResult Rollback(
        ConfigCatalog catalog,
        HttpContext http,
        string name,
        string? node,
        RollbackRequest request
    )
    {
        var document = Document(name);
        catalog.Rollback(
            document,
            Node(node),
            request.Version
                ?? throw new StateRefusedException(400, "'version' is required: one of the document's history."),
            By(http)
        );
        return Answer(http, View(catalog, document, node));
    }

    private static IEnumerable<ConfigVersion> History(ConfigCatalog catalog, ConfigDocument document, string? node) =>
        catalog
            .History(document.Name, Node(node))
            .Select(version => new ConfigVersion(
                version.Version,
                version.At,
                version.By,
                version.Change,
                ConfigSecrets.Show(version.Document)
            ));

    private static List<ConfigDifference> Diff(
        ConfigCatalog catalog,
        string name,
        string? node,
        string? from,
        string? to
    )
    {
        var document = Document(name);
        var versions = History(catalog, document, node)
            .ToDictionary(version => version.Version, version => version.Value);
        JsonNode? Of(string? version) =>
            version is null ? ConfigSecrets.Show(catalog.Stored(name, node))
            : versions.TryGetValue(version, out var value) ? value
            : throw new StateRefusedException(404, $"'{name}' has no version '{version}'; see its history.");
        return
        [
            .. JsonMerge.Differences(
                Of(from ?? throw new StateRefusedException(400, "'from' is required: one of the document's history.")),
                Of(to)
            ),
        ];
    }

    private static string? Node(string? node) =>
        node is null
        || (
            node.Length <= 63
            && node.Length > 0
            && node.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        )
            ? node
            : throw new StateRefusedException(400, $"'node' is '{node}', which cannot be a node's name.");

    private static string By(HttpContext http) => $"{http.User.Identity?.Name} at {ClientAddress.Of(http)}";
}
