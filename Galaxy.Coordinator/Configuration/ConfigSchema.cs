using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Configuration;
using Json.Schema;

namespace Galaxy.Coordinator.Configuration;

/// <summary>What a document's schema says: complaints, and which of its strings are secrets. Thread-safe.</summary>
internal static class ConfigSchema
{
    private static readonly ConcurrentDictionary<string, JsonSchema> Schemas = new(StringComparer.Ordinal);
    private static readonly EvaluationOptions Options = new() { OutputFormat = OutputFormat.List };

    /// <summary>Null: nothing is wrong. Otherwise each complaint with its place.</summary>
    public static string? Complaint(ConfigDocument document, JsonNode json)
    {
        var schema = Schemas.GetOrAdd(document.Name, _ => JsonSchema.FromText(document.Schema));
        var results = schema.Evaluate(JsonSerializer.SerializeToElement(json), Options);
        if (results.IsValid)
            return null;
        var complaints = (results.Details ?? [])
            .Where(detail => detail.Errors is not null)
            .SelectMany(detail =>
                detail.Errors!.Select(error =>
                    $"at '{detail.InstanceLocation}': {Explain(document, detail, error.Key, error.Value)}"
                )
            )
            .Distinct()
            .Take(5)
            .ToList();
        return complaints.Count > 0 ? string.Join("; ", complaints) : "it does not match the schema";
    }

    // The error of a "pattern" or "enum" keyword does not explain the problem; the schema's text for that place does.
    private static string Explain(ConfigDocument document, EvaluationResults detail, string keyword, string error)
    {
        if (keyword is not ("pattern" or "enum"))
            return error;
        JsonNode? place = JsonNode.Parse(document.Schema);
        foreach (
            var name in detail.SchemaLocation.Fragment.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries)
        )
            place = (place as JsonObject)?[Uri.UnescapeDataString(name)];
        if (keyword == "enum" && (place as JsonObject)?["enum"] is JsonArray allowed)
            return $"expected one of {string.Join(", ", allowed)}";
        return (string?)(place as JsonObject)?["description"] is { } description ? $"expected: {description}" : error;
    }

    /// <summary>
    /// Seals the secrets of a new version. One that has not changed, or is sent back as its hint, stays as it is.
    /// </summary>
    public static JsonNode? Seal(ConfigDocument document, JsonNode? json, JsonNode? before, ConfigSecrets secrets) =>
        Seal(JsonNode.Parse(document.Schema), json, before, secrets);

    private static JsonNode? Seal(JsonNode? schema, JsonNode? json, JsonNode? before, ConfigSecrets secrets)
    {
        switch (json)
        {
            case JsonObject fields:
                return new JsonObject(
                    fields.Select(field =>
                        KeyValuePair.Create(
                            field.Key,
                            Seal(
                                schema?["properties"]?[field.Key] ?? schema?["additionalProperties"] as JsonObject,
                                field.Value,
                                (before as JsonObject)?[field.Key],
                                secrets
                            )
                        )
                    )
                );
            case JsonArray items:
                return new JsonArray([
                    .. items.Select(item =>
                        Seal(schema?["items"], item, Counterpart(item, before as JsonArray, secrets), secrets)
                    ),
                ]);
            case JsonValue value
                when schema is JsonObject rules
                    && (bool?)rules["writeOnly"] == true
                    && value.TryGetValue<string>(out var secret):
                return
                    before is JsonObject box
                    && ConfigSecrets.IsSealed(box)
                    && (secret == (string?)box["hint"] || secret == secrets.Open(box))
                    ? box.DeepClone()
                    : secrets.Seal(secret);
            default:
                return json?.DeepClone();
        }
    }

    // Secrets of a list have no name; one is known by its hint, or by what it is.
    private static JsonNode? Counterpart(JsonNode? item, JsonArray? before, ConfigSecrets secrets) =>
        item is JsonValue value && value.TryGetValue<string>(out var secret)
            ? before
                ?.OfType<JsonObject>()
                .FirstOrDefault(box =>
                    ConfigSecrets.IsSealed(box) && (secret == (string?)box["hint"] || secret == secrets.Open(box))
                )
            : null;
}
