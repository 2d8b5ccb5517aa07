using System.Security.Cryptography;
using System.Text;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// A key besides the cluster's own, issued to a person or a program, with a role. The secret, <c>gxa-{id}-{64
/// hexadecimal digits}</c>, is not stored: its SHA-256 is enough, because the secret has 256 random bits.
/// </summary>
public sealed record AccessKey
{
    /// <summary>How every such secret begins.</summary>
    public const string Prefix = "gxa-";

    private const int IdLength = 12;
    private const int SecretLength = 64;

    public required string Id { get; init; }

    /// <summary>The owner of the key; the name in the audit log.</summary>
    public required string Name { get; init; }

    public required string Role { get; init; }

    /// <summary>SHA-256 of the whole secret, in hexadecimal.</summary>
    public required string Hash { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>Null: until it is withdrawn.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The user that issued the key.</summary>
    public string By { get; init; } = "";

    /// <summary>A new secret and the id within it.</summary>
    public static (string Id, string Secret) Create()
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength / 2));
        return (id, Prefix + id + "-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretLength / 2)));
    }

    public static string HashOf(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>The id that a secret names; null: it is none of these secrets.</summary>
    public static string? IdOf(ReadOnlySpan<char> secret) =>
        secret.Length == Prefix.Length + IdLength + 1 + SecretLength
        && secret.StartsWith(Prefix, StringComparison.Ordinal)
        && secret[Prefix.Length + IdLength] == '-'
            ? secret.Slice(Prefix.Length, IdLength).ToString()
            : null;

    /// <summary>
    /// Whether an id and a hash have the form that <see cref="Create"/> and <see cref="HashOf"/> give them.
    /// </summary>
    public static bool AreWellFormed(string? id, string? hash) =>
        id is { Length: IdLength }
        && id.All(char.IsAsciiHexDigitLower)
        && hash is { Length: SecretLength }
        && hash.All(char.IsAsciiHexDigitLower);

    /// <summary>True when it is this key's secret; takes the same time whatever differs.</summary>
    public bool IsSecret(ReadOnlySpan<char> presented) => ApiKey.Matches(presented, Convert.FromHexString(Hash));
}

/// <summary>Finds the access keys that have been issued. Thread-safe.</summary>
public interface IAccessDirectory
{
    /// <summary>Null: there is no such key, or it was withdrawn, or this process does not know it yet.</summary>
    AccessKey? Find(string id);

    /// <summary>
    /// False: keys may have been issued that this process does not know, because it has just started or no leader can
    /// be reached.
    /// </summary>
    bool IsComplete { get; }
}
