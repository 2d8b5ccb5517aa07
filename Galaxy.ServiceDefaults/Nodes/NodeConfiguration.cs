using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>
/// Puts <c>.env</c> and <c>config.json</c> of the working directory beneath the environment:
/// command line &gt; environment &gt; .env &gt; config.json &gt; defaults.
/// </summary>
public static class NodeConfiguration
{
    private static readonly Dictionary<string, string> JsonKeys = new(StringComparer.OrdinalIgnoreCase)
    {
        ["node_id"] = "Galaxy_NODE_ID",
        ["role"] = "Galaxy_NODE_ROLE",
        ["cluster"] = "Galaxy_CLUSTER",
        ["discovery.mdns_enabled"] = "NODE71_MDNS_ENABLED",
        ["discovery.upnp_enabled"] = "NODE71_UPNP_ENABLED",
        ["discovery.broadcast_enabled"] = "NODE71_BROADCAST_ENABLED",
        ["discovery.broadcast_port"] = "NODE71_BROADCAST_PORT",
        ["failover.mode"] = "FAILOVER_MODE",
        ["failover.primary"] = "FAILOVER_PRIMARY",
        ["failover.secondaries"] = "FAILOVER_SECONDARIES",
    };

    private static readonly string[] SecretFileEndings = ["_API_KEY_FILE", "_PASSWORD_FILE"];

    /// <exception cref="SettingException">config.json is not JSON, or has a key that nothing reads; or a file with a
    /// secret cannot be read.</exception>
    public static void AddNodeFiles(this IConfigurationManager configuration, string directory)
    {
        // The first sources are the weakest; the environment and the command line were added after them.
        configuration.Sources.Insert(0, Memory(ReadEnvFile(Path.Combine(directory, ".env"))));
        configuration.Sources.Insert(0, Memory(ReadConfigJson(Path.Combine(directory, "config.json"))));
        if (ReadSecretFiles(configuration) is { Count: > 0 } secrets)
            configuration.Sources.Insert(0, Memory(secrets));
    }

    // GALAXY_API_KEY_FILE=/run/secrets/api-key: what containers mount instead of putting a secret into the environment.
    private static Dictionary<string, string?> ReadSecretFiles(IConfiguration configuration)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, path) in configuration.AsEnumerable())
        {
            if (
                path is not { Length: > 0 }
                || !Array.Exists(SecretFileEndings, ending => key.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
            )
                continue;
            try
            {
                values[key[..^"_FILE".Length]] = File.ReadAllText(path).Trim();
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                throw new SettingException(key, path, $"a file that can be read ({unreadable.Message})");
            }
        }
        return values;
    }

    /// <summary>What the two files say together, <c>.env</c> before <c>config.json</c>.</summary>
    /// <exception cref="SettingException">config.json is not JSON, or has a key that nothing reads.</exception>
    public static IReadOnlyDictionary<string, string?> FromFiles(string directory)
    {
        var values = ReadConfigJson(Path.Combine(directory, "config.json"));
        foreach (var (key, value) in ReadEnvFile(Path.Combine(directory, ".env")))
            values[key] = value;
        return values;
    }

    private static MemoryConfigurationSource Memory(Dictionary<string, string?> values) =>
        new() { InitialData = values };

    internal static Dictionary<string, string?> ReadEnvFile(string path)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
            return values;
        foreach (var raw in File.ReadLines(path))
        {
            var line = raw.Trim();
            if (line.StartsWith("export ", StringComparison.Ordinal))
                line = line[7..].TrimStart();
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (line.StartsWith('#') || equals <= 0)
                continue;
            var value = line[(equals + 1)..].Trim();
            if (value.Length >= 2 && value[0] == value[^1] && value[0] is '"' or '\'')
                value = value[1..^1];
            values[line[..equals].Trim().Replace("__", ":", StringComparison.Ordinal)] = value;
        }
        return values;
    }

    internal static Dictionary<string, string?> ReadConfigJson(string path)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
            return values;
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(
                File.ReadAllText(path),
                documentOptions: new JsonDocumentOptions
                {
                    AllowTrailingCommas = true,
                    CommentHandling = JsonCommentHandling.Skip,
                }
            );
        }
        catch (JsonException broken)
        {
            throw new SettingException(
                path,
                $"not JSON: {broken.Message}",
                "a JSON object as in the documentation of config.json"
            );
        }
        if (root is not JsonObject document)
            throw new SettingException(path, "not an object", "a JSON object as in the documentation of config.json");
        Flatten(document, "", path, values);
        return values;
    }

    private static void Flatten(JsonObject node, string prefix, string path, Dictionary<string, string?> values)
    {
        foreach (var (name, child) in node)
        {
            var key = prefix + name;
            if (child is JsonObject inner && prefix.Length == 0)
                Flatten(inner, key + ".", path, values);
            else if (JsonKeys.TryGetValue(key, out var setting))
                values[setting] = child is JsonArray list
                    ? string.Join(',', list.Select(item => item?.ToString()))
                    : child?.ToString();
            else
                throw new SettingException(
                    $"{path}: {key}",
                    child?.ToJsonString(),
                    $"the keys {string.Join(", ", JsonKeys.Keys)}"
                );
        }
    }
}
