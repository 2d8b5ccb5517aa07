using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Router.Catalog;

/// <summary>JSON schemas of parameters, as devices and services tell them.</summary>
internal static class ToolSchema
{
    /// <summary>The argument that names a target, where there are several.</summary>
    public const string Target = "galaxy_target";

    private const int MostTargets = 50;
    private static readonly JsonElement Anything = JsonSerializer.Deserialize<JsonElement>("""{"type":"object"}""");

    /// <summary>Null: there is none that can be read.</summary>
    public static JsonElement? Parse(string? schema)
    {
        if (string.IsNullOrEmpty(schema))
            return null;
        // The schema comes from a version that accepted more, or from a service that is not part of Galaxy.
        var utf8 = Encoding.UTF8.GetBytes(schema);
        return
            JsonInput.Validate(utf8) is null
            && JsonSerializer.Deserialize<JsonElement>(utf8) is { ValueKind: JsonValueKind.Object } read
            ? read
            : null;
    }

    /// <summary>
    /// An object's schema, with the choice of the target where there is one. What is no object's schema is not passed
    /// on: clients refuse it.
    /// </summary>
    public static JsonElement ForTool(string? schema, IReadOnlyList<string> targets)
    {
        var told =
            Parse(schema) is { } read
            && (
                !read.TryGetProperty("type", out var type)
                || (type.ValueKind == JsonValueKind.String && type.GetString() == "object")
            )
                ? read
                : Anything;
        var map = JsonObject.Create(told)!;
        map["type"] = "object";
        if (targets.Count < 2)
            return JsonSerializer.SerializeToElement(map);
        var properties = map["properties"] as JsonObject ?? [];
        map.Remove("properties");
        properties[Target] = new JsonObject
        {
            ["type"] = "string",
            ["description"] = "Which device or service is to do it; left out: the best one.",
            ["enum"] = new JsonArray([.. targets.Take(MostTargets).Select(id => JsonValue.Create(id))]),
        };
        map["properties"] = properties;
        return JsonSerializer.SerializeToElement(map);
    }
}
