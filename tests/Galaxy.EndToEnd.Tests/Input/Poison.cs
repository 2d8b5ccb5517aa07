using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>Bodies that no endpoint and no message may trust.</summary>
internal static class Poison
{
    /// <summary>What is refused whatever the contract says, each by its name.</summary>
    public static IReadOnlyList<(string Name, byte[] Body)> Everywhere { get; } =
    [
        ("cut short", "{\"action\":\"a\""u8.ToArray()),
        ("not JSON", "action=a"u8.ToArray()),
        ("two documents", "{} {}"u8.ToArray()),
        ("a name twice", """{"action":"a","action":"b"}"""u8.ToArray()),
        ("a name twice, once escaped", """{"x":1,"\u0078":2}"""u8.ToArray()),
        ("a name twice, deep inside", """{"params":{"list":[{"x":1,"x":2}]}}"""u8.ToArray()),
        ("half a surrogate pair", """{"action":"\ud800","params":{"x":"\ud800"}}"""u8.ToArray()),
        ("half a surrogate pair as a name", """{"\udc00":1}"""u8.ToArray()),
        ("no UTF-8", [.. "{\"action\":\""u8, 0xFF, 0xFE, .. "\"}"u8]),
        ("a number out of range", """{"params":{"x":1e999}}"""u8.ToArray()),
        ("70 levels", Nested(70)),
        ("20,000 levels", Nested(20_000)),
    ];

    /// <summary>Documents that name a property of a contract and give it what it cannot be.</summary>
    public static IEnumerable<(string Name, byte[] Body, bool IsRefused)> Against(
        string property,
        JsonObject schema,
        JsonObject document
    )
    {
        schema = Resolve(schema, document);
        var types = Types(schema);
        if (types.Count == 0)
            yield break;
        foreach (
            var (name, value, type) in new[]
            {
                ("text", "\"\\u0000\\uffff\"", "string"),
                ("a number", "-1e308", "number"),
                ("a fraction", "0.5", "number"),
                ("a huge integer", "99999999999999999999", "number"),
                ("true", "true", "boolean"),
                ("a list", "[[[]]]", "array"),
                ("an object", """{"":{}}""", "object"),
                ("null", "null", "null"),
                ("a long text", $"\"{new string('x', 100_000)}\"", "string"),
            }
        )
        {
            // Whether a value of the right type is allowed is the endpoint's own affair; it may not fail.
            var isRefused = type is "array" or "object" or "boolean" && !types.Contains(type);
            yield return (
                $"'{property}' is {name}",
                Encoding.UTF8.GetBytes($"{{{JsonValue.Create(property).ToJsonString()}:{value}}}"),
                isRefused
            );
        }
        if (types.Contains("array"))
        {
            foreach (
                var (name, value) in new[]
                {
                    ("a list with null", "[null]"),
                    ("a list of lists", "[[]]"),
                    ("a list with null behind others", "[\"x\",null]"),
                    ("a list of numbers and objects", "[1,{}]"),
                }
            )
                yield return (
                    $"'{property}' is {name}",
                    Encoding.UTF8.GetBytes($"{{{JsonValue.Create(property).ToJsonString()}:{value}}}"),
                    Types(Resolve(schema["items"] as JsonObject ?? [], document)) is { Count: > 0 }
                        && name.Contains("null", StringComparison.Ordinal)
                );
        }
    }

    /// <summary>Follows a reference within the document.</summary>
    public static JsonObject Resolve(JsonObject schema, JsonObject document)
    {
        while (schema["$ref"]?.GetValue<string>() is { } reference)
            schema = (JsonObject)reference[2..].Split('/').Aggregate((JsonNode)document, (node, name) => node[name]!);
        if (
            schema["oneOf"] is JsonArray choices
            && choices.OfType<JsonObject>().FirstOrDefault(choice => choice["type"]?.ToString() != "null") is { } choice
        )
            return Resolve(choice, document);
        return schema;
    }

    private static List<string> Types(JsonObject schema) =>
        schema["type"] switch
        {
            JsonArray several =>
            [
                .. several.Select(type => type!.GetValue<string>() is "integer" ? "number" : type.GetValue<string>()),
            ],
            JsonValue one => [one.GetValue<string>() is "integer" ? "number" : one.GetValue<string>()],
            _ => [],
        };

    private static byte[] Nested(int levels) =>
        Encoding.UTF8.GetBytes("{\"params\":" + new string('[', levels) + new string(']', levels) + "}");
}
