using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Galaxy.Core.Discovery;

/// <summary>Asking or answering.</summary>
public enum AnnouncementKind
{
    Discover,
    Response,
}

/// <summary>
/// The UDP announcement of port 37021: <c>UFO_GALAXY_DISCOVER {json}</c> asks, <c>UFO_GALAXY_RESPONSE {json}</c>
/// answers; a bare JSON object with a <c>type</c> is accepted as well.
/// </summary>
/// <param name="TimestampUnix">Unix seconds, with fractions allowed.</param>
public sealed record Announcement(AnnouncementKind Kind, string NodeId, double TimestampUnix)
{
    public const string DiscoverWord = "UFO_GALAXY_DISCOVER";
    public const string ResponseWord = "UFO_GALAXY_RESPONSE";

    /// <summary>The largest datagram sent or accepted, in bytes: it never fragments on an Ethernet or a VPN.</summary>
    public const int MaxBytes = 1200;

    public string Name { get; init; } = "";
    public string DeviceType { get; init; } = "";
    public int Port { get; init; }
    public string Role { get; init; } = "";
    public string Cluster { get; init; } = "";
    public string Url { get; init; } = "";
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    public string Nonce { get; init; } = "";
    public string Signature { get; init; } = "";

    /// <summary>The nonce of the question that this answers; empty when it answers none.</summary>
    public string Answers => Metadata.GetValueOrDefault("re", "");

    /// <summary>The node says goodbye.</summary>
    public bool Leaving => Metadata.GetValueOrDefault("leaving") == "true";

    /// <summary>False, never an exception, when the bytes are not an announcement.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Announcement? announcement)
    {
        announcement = null;
        if (bytes.Length is 0 or > MaxBytes)
            return false;
        if (!Utf8.IsValid(bytes))
            return false;
        bytes = bytes.Trim("\0 \r\n\t"u8);
        var brace = bytes.IndexOf((byte)'{');
        if (brace < 0)
            return false;
        var word = Encoding.UTF8.GetString(bytes[..brace].Trim(" \r\n\t"u8));
        try
        {
            using var json = JsonDocument.Parse(
                bytes[brace..].ToArray(),
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }
            );
            return TryRead(word.Length > 0 ? word : Text(json.RootElement, "type"), json.RootElement, out announcement);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // No JSON, an object with one name twice, or half of a surrogate pair.
            return false;
        }
    }

    private static bool TryRead(string word, JsonElement json, [NotNullWhen(true)] out Announcement? announcement)
    {
        announcement = null;
        AnnouncementKind kind;
        if (word == DiscoverWord)
            kind = AnnouncementKind.Discover;
        else if (word == ResponseWord)
            kind = AnnouncementKind.Response;
        else
            return false;
        var nodeId = Text(json, "node_id");
        if (nodeId.Length is 0 or > 128)
            return false;
        announcement = new Announcement(kind, nodeId, Number(json, "timestamp"))
        {
            Name = Text(json, "name"),
            DeviceType = Text(json, "device_type"),
            Port = Number(json, "port") is > 0 and < 65536 and var port ? (int)port : 0,
            Role = Text(json, "role"),
            Cluster = Text(json, "cluster"),
            Url = Text(json, "url"),
            Capabilities =
                json.TryGetProperty("capabilities", out var list) && list.ValueKind == JsonValueKind.Array
                    ? [.. list.EnumerateArray().Select(CapabilityName).Where(name => name.Length > 0).Take(64)]
                    : [],
            Metadata =
                json.TryGetProperty("metadata", out var map) && map.ValueKind == JsonValueKind.Object
                    ? map.EnumerateObject().Take(32).ToDictionary(pair => pair.Name, pair => Plain(pair.Value))
                    : new Dictionary<string, string>(),
            Nonce = Text(json, "nonce"),
            Signature = Text(json, "sig"),
        };
        return true;
    }

    private static string CapabilityName(JsonElement node) =>
        node.ValueKind switch
        {
            JsonValueKind.Object => Text(node, "name"),
            JsonValueKind.String => node.GetString()!,
            _ => "",
        };

    private static string Plain(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static double Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && double.IsFinite(number)
            ? number
            : 0;

    /// <summary>The datagram.</summary>
    /// <exception cref="InvalidOperationException">It would be over <see cref="MaxBytes"/>.</exception>
    public byte[] ToBytes()
    {
        var word = Kind == AnnouncementKind.Discover ? DiscoverWord : ResponseWord;
        var json = new JsonObject
        {
            ["type"] = word,
            ["node_id"] = NodeId,
            ["timestamp"] = TimestampUnix,
            ["name"] = Name,
            ["device_type"] = DeviceType,
            ["port"] = Port,
            ["role"] = Role,
            ["cluster"] = Cluster,
            ["url"] = Url,
            ["capabilities"] = new JsonArray([
                .. Capabilities.Select(name =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["name"] = name,
                            ["version"] = "1",
                            ["parameters"] = new JsonObject(),
                            ["priority"] = 5,
                        }
                ),
            ]),
            ["metadata"] = new JsonObject([
                .. Metadata.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)),
            ]),
            ["nonce"] = Nonce,
            ["sig"] = Signature,
        };
        var bytes = Encoding.UTF8.GetBytes(word + " " + json.ToJsonString());
        return bytes.Length <= MaxBytes
            ? bytes
            : throw new InvalidOperationException(
                $"The announcement of '{NodeId}' has {bytes.Length} bytes; at most {MaxBytes} are allowed."
            );
    }

    /// <summary>This announcement with its signature.</summary>
    public Announcement Sign(ReadOnlySpan<byte> key) =>
        this with
        {
            Signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Canonical())),
        };

    /// <summary>True when <see cref="Signature"/> was made with <paramref name="key"/>; constant time.</summary>
    public bool IsSignedWith(ReadOnlySpan<byte> key) =>
        CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(key, Canonical()))),
            Encoding.ASCII.GetBytes(Signature)
        );

    // Length-prefixed fields, so that no two announcements share their bytes.
    private byte[] Canonical()
    {
        var text = new StringBuilder();
        IEnumerable<string> fields =
        [
            Kind == AnnouncementKind.Discover ? "D" : "R",
            NodeId,
            TimestampUnix.ToString("R", CultureInfo.InvariantCulture),
            Name,
            DeviceType,
            Port.ToString(CultureInfo.InvariantCulture),
            Role,
            Cluster,
            Url,
            Nonce,
            Capabilities.Count.ToString(CultureInfo.InvariantCulture),
            .. Capabilities,
            .. Metadata
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .SelectMany(pair => (string[])[pair.Key, pair.Value]),
        ];
        foreach (var field in fields)
            text.Append(field.Length).Append(':').Append(field).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
