using System.Text.Json.Nodes;

namespace Galaxy.Gateway.Documents;

/// <summary>Makes one OpenAPI document of several: what clients of the gateway can ask, and nothing else.</summary>
internal static class DocumentMerge
{
    private const string SchemaPrefix = "#/components/schemas/";

    /// <param name="documents">By the kind of service.</param>
    /// <param name="goesTo">The kind of service that answers a path and method here; null: none.</param>
    public static JsonObject Merge(
        JsonObject info,
        IEnumerable<(string Kind, JsonObject Document)> documents,
        Func<string, string, string?> goesTo
    )
    {
        JsonObject paths = [],
            schemas = [];
        JsonArray tags = [];
        foreach (var (kind, document) in documents)
        {
            var names = AddSchemas(schemas, document["components"]?["schemas"] as JsonObject ?? [], kind);
            var title = (string?)document["info"]?["title"] ?? kind;
            var any = false;
            foreach (var (path, item) in document["paths"] as JsonObject ?? [])
            {
                foreach (var (method, operation) in item as JsonObject ?? [])
                {
                    if (operation is not JsonObject one || goesTo(path, method.ToUpperInvariant()) != kind)
                        continue;
                    var copy = (JsonObject)Renamed(one, names)!;
                    copy["tags"] = new JsonArray(title);
                    if (paths[path] is not JsonObject methods)
                        paths[path] = methods = [];
                    methods.TryAdd(method, copy);
                    any = true;
                }
            }
            if (any)
                tags.Add(
                    new JsonObject { ["name"] = title, ["description"] = document["info"]?["description"]?.DeepClone() }
                );
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = info,
            ["security"] = new JsonArray(
                new JsonObject { ["bearer"] = new JsonArray() },
                new JsonObject { ["key"] = new JsonArray() }
            ),
            ["tags"] = tags,
            ["paths"] = new JsonObject([
                .. paths
                    .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())),
            ]),
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "The cluster's key, or one that was given out",
                    },
                    ["key"] = new JsonObject
                    {
                        ["type"] = "apiKey",
                        ["in"] = "header",
                        ["name"] = "X-API-Key",
                    },
                },
            },
        };
    }

    // Two services may call different things alike: the second one's is named after it.
    private static Dictionary<string, string> AddSchemas(JsonObject all, JsonObject added, string kind)
    {
        var names = added
            .Where(pair => all[pair.Key] is { } known && !JsonNode.DeepEquals(known, pair.Value))
            .ToDictionary(
                pair => pair.Key,
                pair => $"{char.ToUpperInvariant(kind[0])}{kind[1..]}{pair.Key}",
                StringComparer.Ordinal
            );
        foreach (var (name, schema) in added)
            all[names.GetValueOrDefault(name, name)] = Renamed(schema, names);
        return names;
    }

    private static JsonNode? Renamed(JsonNode? node, Dictionary<string, string> names) =>
        node switch
        {
            JsonObject one => new JsonObject([
                .. one.Select(pair =>
                    KeyValuePair.Create(
                        pair.Key,
                        pair.Key == "$ref"
                        && (string?)pair.Value is { } reference
                        && reference.StartsWith(SchemaPrefix, StringComparison.Ordinal)
                        && names.TryGetValue(reference[SchemaPrefix.Length..], out var name)
                            ? JsonValue.Create(SchemaPrefix + name)
                            : Renamed(pair.Value, names)
                    )
                ),
            ]),
            JsonArray list => new JsonArray([.. list.Select(item => Renamed(item, names))]),
            _ => node?.DeepClone(),
        };
}
