using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects;

internal static class Json
{
    /// <summary>A field of what may be no object; what others send may be anything.</summary>
    public static JsonNode? Get(this JsonNode? node, string name) => node is JsonObject json ? json[name] : null;

    /// <summary>
    /// A model's arguments as an object; what is none is kept under <c>_raw</c>, so that nothing is lost.
    /// </summary>
    public static JsonObject ObjectOf(string arguments)
    {
        try
        {
            if (arguments.Length == 0)
                return [];
            if (JsonNode.Parse(arguments) is JsonObject json)
                return json;
        }
        catch (JsonException)
        {
            // Kept below, as it is.
        }
        return new JsonObject { ["_raw"] = arguments };
    }
}
