using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Input;
using Google.Protobuf;

namespace Galaxy.Console.Otlp;

/// <summary>
/// OTLP/JSON: protobuf's JSON mapping, but for the ids of traces and spans, which are hexadecimal (opentelemetry-proto,
/// "JSON Protobuf Encoding").
/// </summary>
internal static class OtlpJson
{
    private const int Deepest = 64;
    private static readonly JsonParser Parser = new(new JsonParser.Settings(Deepest).WithIgnoreUnknownFields(true));

    /// <exception cref="InvalidProtocolBufferException">It is not such a message.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is not JSON.</exception>
    public static T Parse<T>(byte[] body)
        where T : IMessage<T>, new()
    {
        if (JsonInput.Validate(body, Deepest) is { } error)
            throw new InvalidDataException(error.ToString());
        var json =
            JsonNode.Parse(body, documentOptions: new System.Text.Json.JsonDocumentOptions { MaxDepth = Deepest })
                as JsonObject
            ?? throw new InvalidDataException("it is not a JSON object");
        Rewrite(json);
        return Parser.Parse<T>(json.ToJsonString());
    }

    private static void Rewrite(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list)
                Rewrite(item);
        }
        if (node is not JsonObject fields)
            return;
        foreach (var name in (string[])["traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"])
        {
            if (fields[name] is JsonValue value && value.TryGetValue<string>(out var hex))
                fields[name] = Convert.ToBase64String(Convert.FromHexString(hex));
        }
        foreach (var (_, child) in fields)
            Rewrite(child);
    }
}
