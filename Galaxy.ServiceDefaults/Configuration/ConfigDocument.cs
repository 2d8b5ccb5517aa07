namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>
/// A document of the cluster's configuration: written once, in force on every machine. Adding one is adding it to
/// <see cref="All"/>.
/// </summary>
/// <param name="Name">As the API and <c>galaxy config</c> call it.</param>
/// <param name="Section">Where services find it in their configuration.</param>
/// <param name="IsMap">Concurrent edits of different keys are both kept; otherwise a person decides between whole
/// documents.</param>
/// <param name="Schema">JSON Schema (2020-12). What is <c>writeOnly</c> is a secret: encrypted at rest and in gossip,
/// never shown.</param>
public sealed record ConfigDocument(string Name, string Section, bool IsMap, string Description, string Schema)
{
    /// <summary>Workers are told, too. Such a document holds no secret.</summary>
    public bool ForDevices { get; init; }

    public static IReadOnlyList<ConfigDocument> All { get; } =
    [
        new(
            "providers",
            "OneApi:Providers",
            true,
            "Model providers of OneApi by name: public ones need a key only, others an address",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "propertyNames": { "pattern": "^(?!(galaxy|device)$)[a-z0-9][a-z0-9._-]{0,62}$",
                "description": "Lower-case letters, digits, '.', '_' and '-'; 'galaxy' and 'device' are built in" },
              "additionalProperties": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": {
                  "base_url": { "type": "string", "pattern": "^https?://[^\\s]+$", "description": "An address up to and including the version, for instance https://api.openai.com/v1" },
                  "dialect": { "enum": ["openai", "anthropic", "gemini", "azure"],
                    "description": "How it is spoken to; openai if it is no public provider" },
                  "api_key": { "type": "string", "minLength": 1, "writeOnly": true },
                  "api_keys": { "type": "array", "maxItems": 100, "items": { "type": "string", "minLength": 1,
                    "writeOnly": true }, "description": "Several keys, used in turn" },
                  "models": { "type": "array", "items": { "type": "string", "minLength": 1 },
                    "description": "Empty or absent: asked of the provider" },
                  "default_model": { "type": "string", "minLength": 1, "description": "What 'auto' asks it for" },
                  "responses": { "type": "boolean", "description": "It has OpenAI's Responses API, too" },
                  "drop_params": { "type": "boolean",
                    "description": "What it cannot be told is dropped instead of refused" },
                  "max_tokens_field": { "enum": ["max_tokens", "max_completion_tokens"] },
                  "timeout_seconds": { "type": "number", "minimum": 0.1, "maximum": 3600,
                    "description": "When it has sent nothing for that long, it has hung; 120" }
                }
              }
            }
            """
        ),
        new(
            "models",
            "OneApi:Models",
            false,
            "Names for models, whom 'auto' asks, prices, the cache and the log of OneApi",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "routes": {
                  "type": "array",
                  "maxItems": 500,
                  "items": {
                    "type": "object",
                    "required": ["name", "targets"],
                    "additionalProperties": false,
                    "properties": {
                      "name": { "type": "string", "minLength": 1, "maxLength": 200,
                        "description": "As clients ask for it" },
                      "strategy": { "enum": ["order", "weighted", "latency", "cost", "least_busy", "sticky"],
                        "description": "Who is asked first within a priority; order if absent" },
                      "targets": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 100,
                        "items": {
                          "type": "object",
                          "required": ["model"],
                          "additionalProperties": false,
                          "properties": {
                            "model": { "type": "string", "minLength": 1, "description": "provider/model" },
                            "weight": { "type": "number", "minimum": 0 },
                            "priority": { "type": "integer", "minimum": 0,
                              "description": "Lower ones first, others when these fail" }
                          }
                        }
                      },
                      "fallbacks": { "$ref": "#/$defs/models",
                        "description": "Asked in this order when all targets fail" },
                      "context_fallbacks": { "$ref": "#/$defs/models",
                        "description": "Asked when the conversation is too long for a target" },
                      "content_filter_fallbacks": { "$ref": "#/$defs/models",
                        "description": "Asked when a target refuses the subject" }
                    }
                  }
                },
                "auto": { "$ref": "#/$defs/models",
                  "description": "Providers, or provider/model, in the order in which 'auto' asks them" },
                "prices": {
                  "type": "array",
                  "maxItems": 2000,
                  "items": {
                    "type": "object",
                    "required": ["model", "input", "output"],
                    "additionalProperties": false,
                    "properties": {
                      "model": { "type": "string", "minLength": 1,
                        "description": "A pattern with * over provider/model; the first that fits counts" },
                      "input": { "type": "number", "minimum": 0, "description": "Dollars for a million tokens" },
                      "output": { "type": "number", "minimum": 0, "description": "Dollars for a million tokens" },
                      "cached_input": { "type": "number", "minimum": 0,
                        "description": "Dollars for a million tokens; absent: as input" }
                    }
                  }
                },
                "cache_ttl_seconds": { "type": "integer", "minimum": 0, "maximum": 86400,
                  "description": "Every answer is kept that long; 0: only when a request asks for it" },
                "response_ttl_days": { "type": "number", "exclusiveMinimum": 0, "maximum": 400,
                  "description": "How long stored responses are kept; 30" },
                "log": { "type": "boolean", "description": "A line in the log for each request" }
              },
              "$defs": { "models": { "type": "array", "maxItems": 100, "items": { "type": "string", "minLength": 1 } } }
            }
            """
        ),
        new(
            "router",
            "Router",
            false,
            "The routing table of the routers: rules of which the first that matches counts",
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
                      "name": { "type": "string", "minLength": 1, "maxLength": 100,
                        "description": "As explanations call it" },
                      "match": {
                        "type": "object",
                        "additionalProperties": false,
                        "description": "Whom it is for: patterns with *; absent: everybody",
                        "properties": {
                          "capability": { "type": "string", "minLength": 1 },
                          "model": { "type": "string", "minLength": 1 },
                          "caller": { "type": "string", "minLength": 1 },
                          "labels": { "type": "string", "minLength": 1,
                            "description": "Labels that the caller asks for, for instance gpu=true,room=attic" }
                        }
                      },
                      "strategy": { "enum": ["least_loaded", "round_robin", "random", "location", "adaptive"] },
                      "targets": { "$ref": "#/$defs/targets" },
                      "fallbacks": { "$ref": "#/$defs/targets",
                        "description": "Tried in this order when none of the targets can take it" }
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
            """
        ),
        new(
            "gateway",
            "Gateway",
            false,
            "The gateways: rates, sizes, patience, proxies that are believed, web pages that may ask",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "hold_seconds": { "type": "number", "minimum": 0, "maximum": 60,
                  "description": "How long requests wait for a leader; 15" },
                "max_body_bytes": { "type": "integer", "minimum": 1024, "maximum": 1073741824,
                  "description": "Of one request; 64 MiB" },
                "per_key": { "$ref": "#/$defs/rate",
                  "description": "Of whoever shows the same key; absent: not limited" },
                "per_address": { "$ref": "#/$defs/rate",
                  "description": "Of whoever comes from the same address; absent: not limited" },
                "wrong_keys_per_minute": { "type": "integer", "minimum": 1, "maximum": 1000000,
                  "description": "From one address, which is then refused for a while; 300" },
                "trusted_proxies": { "type": "array", "maxItems": 100, "items": { "type": "string",
                  "pattern": "^[0-9a-fA-F.:]+(/[0-9]{1,3})?$" },
                  "description": "Addresses or networks of proxies whose X-Forwarded-For is believed" },
                "allowed_origins": { "type": "array", "maxItems": 100, "items": { "type": "string",
                  "pattern": "^https?://[^/\\s]+$" },
                  "description": "Web pages, besides the console, whose scripts may ask: https://example.org" },
                "timeout_seconds": {
                  "type": "object",
                  "additionalProperties": false,
                  "description": "When a service has sent nothing for so long it has hung; 600, and 2 for replicated",
                  "properties": {
                    "leader": { "$ref": "#/$defs/seconds" }, "reads": { "$ref": "#/$defs/seconds" },
                      "replicated": { "$ref": "#/$defs/seconds" }, "router": { "$ref": "#/$defs/seconds" },
                    "mcp": { "$ref": "#/$defs/seconds" }, "oneapi": { "$ref": "#/$defs/seconds" },
                      "console": { "$ref": "#/$defs/seconds" }, "discovery": { "$ref": "#/$defs/seconds" }
                  }
                },
                "slow_start_seconds": { "type": "number", "minimum": 0, "maximum": 600,
                  "description": "So long a service that came anew gets less than its share; 10" },
                "eject_after_failures": { "type": "integer", "minimum": 1, "maximum": 1000,
                  "description": "So many in a row put a service aside; 5" },
                "eject_seconds": { "type": "number", "minimum": 0.1, "maximum": 600,
                  "description": "For so long, the first time; 2" }
              },
              "$defs": {
                "seconds": { "type": "number", "minimum": 0.1, "maximum": 86400 },
                "rate": {
                  "type": "object",
                  "required": ["requests_per_second"],
                  "additionalProperties": false,
                  "properties": {
                    "requests_per_second": { "type": "number", "minimum": 0.01, "maximum": 1000000 },
                    "burst": { "type": "integer", "minimum": 1, "maximum": 1000000,
                      "description": "At once; as many as in two seconds" }
                  }
                }
              }
            }
            """
        ),
        new(
            "logging",
            "Logging:LogLevel",
            true,
            "Log levels by category, for instance {\"Galaxy\": \"Debug\"}",
            """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "type": "object",
              "propertyNames": { "minLength": 1, "maxLength": 200 },
              "additionalProperties": { "enum": ["Trace", "Debug", "Information", "Warning", "Error", "Critical",
                "None"] }
            }
            """
        )
        {
            ForDevices = true,
        },
    ];

    public static ConfigDocument? Find(string name) => All.FirstOrDefault(document => document.Name == name);
}
