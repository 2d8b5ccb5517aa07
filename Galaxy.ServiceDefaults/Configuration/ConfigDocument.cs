namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>
/// A document of the cluster's configuration: written once, in force on every machine. Adding one is adding it to
/// <see cref="All"/>.
/// </summary>
/// <param name="Name">As the API and <c>galaxy config</c> call it.</param>
/// <param name="Section">Where services find it in their configuration.</param>
/// <param name="IsMap">Concurrent edits of different keys are both kept; otherwise a person decides between whole documents.</param>
/// <param name="Schema">JSON Schema (2020-12). What is <c>writeOnly</c> is a secret: encrypted at rest and in gossip, never shown.</param>
public sealed record ConfigDocument(string Name, string Section, bool IsMap, string Description, string Schema)
{
    /// <summary>Workers are told, too. Such a document holds no secret.</summary>
    public bool ForDevices { get; init; }

    public static IReadOnlyList<ConfigDocument> All { get; } =
    [
        new("providers", "OneApi:Providers", true, "Model providers of OneApi: any server that speaks OpenAI's dialect, by name",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "propertyNames": { "pattern": "^(?!galaxy$)[a-z0-9][a-z0-9._-]{0,62}$", "description": "Lower-case letters, digits, '.', '_' and '-'; 'galaxy' is built in" },
              "additionalProperties": {
                "type": "object",
                "required": ["base_url"],
                "additionalProperties": false,
                "properties": {
                  "base_url": { "type": "string", "pattern": "^https?://[^\\s]+$", "description": "An address up to and including the version, for instance https://api.openai.com/v1" },
                  "api_key": { "type": "string", "minLength": 1, "writeOnly": true },
                  "models": { "type": "array", "items": { "type": "string", "minLength": 1 }, "description": "Empty or absent: asked of the provider" }
                }
              }
            }
            """),
        new("router", "Router", false, "The routing table of the routers: rules of which the first that matches counts",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "rules": {
                  "type": "array",
                  "maxItems": 200,
                  "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                      "name": { "type": "string", "minLength": 1, "maxLength": 100, "description": "As explanations call it" },
                      "match": {
                        "type": "object",
                        "additionalProperties": false,
                        "description": "Whom it is for: patterns with *; absent: everybody",
                        "properties": {
                          "capability": { "type": "string", "minLength": 1 },
                          "model": { "type": "string", "minLength": 1 },
                          "caller": { "type": "string", "minLength": 1 },
                          "labels": { "type": "string", "minLength": 1, "description": "Labels that the caller asks for, for instance gpu=true,room=attic" }
                        }
                      },
                      "strategy": { "enum": ["least_loaded", "round_robin", "random", "location", "adaptive"] },
                      "targets": { "$ref": "#/$defs/targets" },
                      "fallbacks": { "$ref": "#/$defs/targets", "description": "Tried in this order when none of the targets can take it" }
                    }
                  }
                }
              },
              "$defs": {
                "targets": {
                  "type": "array",
                  "maxItems": 100,
                  "items": { "type": "string", "minLength": 1, "pattern": "^(?!(label|layer|type|kind):$)(?!kind:(?!device$|service$)).+$", "description": "An id, a pattern with *, label:name=value, layer:tools, type:android, kind:device or kind:service" }
                }
              }
            }
            """),
        new("logging", "Logging:LogLevel", true, "Log levels by category, for instance {\"Galaxy\": \"Debug\"}",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "propertyNames": { "minLength": 1, "maxLength": 200 },
              "additionalProperties": { "enum": ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"] }
            }
            """) { ForDevices = true },
    ];

    public static ConfigDocument? Find(string name) => All.FirstOrDefault(document => document.Name == name);
}
