using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Configuration;

/// <summary>JSON Merge Patch (RFC 7396), and what differs between two documents.</summary>
internal static class JsonMerge
{
    public static JsonNode? Patch(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var result = target is JsonObject fields ? (JsonObject)fields.DeepClone() : [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
                result.Remove(name);
            else
                result[name] = Patch(result[name], value);
        }
        return result;
    }

    public static IEnumerable<ConfigDifference> Differences(JsonNode? from, JsonNode? to, string path = "")
    {
        if (from is JsonObject before && to is JsonObject after)
        {
            foreach (
                var name in before
                    .Select(field => field.Key)
                    .Union(after.Select(field => field.Key))
                    .Order(StringComparer.Ordinal)
            )
            {
                foreach (
                    var difference in Differences(
                        before[name],
                        after[name],
                        $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}"
                    )
                )
                    yield return difference;
            }
        }
        else if (!JsonNode.DeepEquals(from, to))
        {
            yield return new ConfigDifference(path, from?.DeepClone(), to?.DeepClone());
        }
    }
}
