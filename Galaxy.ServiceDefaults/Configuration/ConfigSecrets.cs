using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>
/// Secrets in configuration documents, encrypted with AES-256-GCM under a key that HKDF-SHA256 (RFC 5869) derives from
/// <c>GALAXY_API_KEY</c>. A stored secret is <c>{"$sealed": "…", "hint": "sk-…1a2b"}</c>. Thread-safe.
/// </summary>
public sealed class ConfigSecrets(NodeOptions node)
{
    private const string Sealed = "$sealed";
    private const string Hint = "hint";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    // Without a key the cluster listens on loopback only: this is no protection, and none is claimed.
    private readonly byte[] _key = Derive(node.ApiKey ?? "development", node.Cluster);

    // While the cluster's key is changed: what was sealed under the other one is opened, too.
    private readonly byte[]? _other = node.OtherApiKey is { } other ? Derive(other, node.Cluster) : null;

    private static byte[] Derive(string apiKey, string cluster) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(apiKey),
            32,
            Encoding.UTF8.GetBytes(cluster),
            "galaxy/config/v1"u8.ToArray()
        );

    public JsonObject Seal(string secret)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        var box = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(
            box.AsSpan(0, NonceBytes),
            plain,
            box.AsSpan(NonceBytes + TagBytes),
            box.AsSpan(NonceBytes, TagBytes)
        );
        return new JsonObject { [Sealed] = Convert.ToBase64String(box), [Hint] = HintOf(secret) };
    }

    /// <summary>Null when it was sealed under another key, or is damaged.</summary>
    public string? Open(JsonObject sealedSecret) =>
        Open(sealedSecret, _key) ?? (_other is null ? null : Open(sealedSecret, _other));

    /// <summary>
    /// Whether something in it was sealed under the key that is on its way out, and is to be sealed anew.
    /// </summary>
    public bool IsOfOtherKey(JsonNode? node) =>
        node switch
        {
            JsonObject box when IsSealed(box) => Open(box, _key) is null && Open(box) is not null,
            JsonObject fields => fields.Any(field => IsOfOtherKey(field.Value)),
            JsonArray items => items.Any(IsOfOtherKey),
            _ => false,
        };

    private static string? Open(JsonObject sealedSecret, byte[] key)
    {
        try
        {
            var box = Convert.FromBase64String((string?)sealedSecret[Sealed] ?? "");
            if (box.Length < NonceBytes + TagBytes)
                return null;
            var plain = new byte[box.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(
                box.AsSpan(0, NonceBytes),
                box.AsSpan(NonceBytes + TagBytes),
                box.AsSpan(NonceBytes, TagBytes),
                plain
            );
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception bad) when (bad is FormatException or CryptographicException)
        {
            return null;
        }
    }

    public static bool IsSealed(JsonNode? node) =>
        node is JsonObject { Count: 2 } box && box.ContainsKey(Sealed) && box.ContainsKey(Hint);

    /// <summary>A document as it may be shown: every secret as its hint.</summary>
    public static JsonNode? Show(JsonNode? node) => Map(node, box => (string?)box[Hint]);

    /// <summary>A document as services use it. A secret that cannot be opened is left out.</summary>
    public JsonNode? OpenAll(JsonNode? node) => Map(node, Open);

    /// <summary>
    /// A document whose secrets were sealed under another key, sealed under this one. A secret that cannot be opened
    /// with the other key stays as it is.
    /// </summary>
    public JsonNode? Reseal(JsonNode? node, ConfigSecrets other) =>
        node switch
        {
            JsonObject box when IsSealed(box) => other.Open(box) is { } secret ? Seal(secret) : box.DeepClone(),
            JsonObject fields => new JsonObject(
                fields.Select(field => KeyValuePair.Create(field.Key, Reseal(field.Value, other)))
            ),
            JsonArray items => new JsonArray([.. items.Select(item => Reseal(item, other))]),
            _ => node?.DeepClone(),
        };

    private static JsonNode? Map(JsonNode? node, Func<JsonObject, string?> secret) =>
        node switch
        {
            JsonObject box when IsSealed(box) => secret(box) is { } text ? JsonValue.Create(text) : null,
            JsonObject fields => new JsonObject(
                fields.Select(field => KeyValuePair.Create(field.Key, Map(field.Value, secret)))
            ),
            JsonArray items => new JsonArray([.. items.Select(item => Map(item, secret))]),
            _ => node?.DeepClone(),
        };

    // Short secrets give nothing away.
    /// <summary>What may be shown of a secret: enough to tell it from another.</summary>
    public static string HintOf(string secret) =>
        secret.Length < 12
            ? "…"
            : $"{(secret.StartsWith("sk-", StringComparison.Ordinal) ? "sk-" : "")}…{secret[^4..]}";
}
