using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>
/// From documents to the keys that <see cref="IConfiguration"/> knows: <c>base_url</c> becomes <c>BaseUrl</c>.
/// </summary>
internal static class ConfigKeys
{
    public static Dictionary<string, string?> Of(IEnumerable<(ConfigDocument Document, JsonNode? Json)> documents)
    {
        var keys = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (document, json) in documents)
        {
            if (json is not JsonObject map)
                continue;
            foreach (var (name, value) in map)
            {
                // The names of a map are the user's own.
                Add(keys, ConfigurationPath.Combine(document.Section, document.IsMap ? name : Pascal(name)), value);
            }
        }
        return keys;
    }

    private static void Add(Dictionary<string, string?> keys, string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (name, value) in fields)
                    Add(keys, ConfigurationPath.Combine(path, Pascal(name)), value);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                    Add(keys, ConfigurationPath.Combine(path, i.ToString(CultureInfo.InvariantCulture)), items[i]);
                break;
            case not null:
                keys[path] = node.ToString();
                break;
        }
    }

    private static string Pascal(string name) =>
        string.Concat(
            name.Split('_').Select(word => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..])
        );
}
