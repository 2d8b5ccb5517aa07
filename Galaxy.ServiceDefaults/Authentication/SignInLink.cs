using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// What a link carries that signs a person in at the console, once: <c>gxl.{payload}.{HMAC-SHA256}</c> in Base64url,
/// made by a process that has the cluster's key. It gives access to the console only, and is no longer valid once it
/// was followed or is a day old.
/// </summary>
public static class SignInLink
{
    public const string Prefix = "gxl.";

    private const byte Version = 1;
    private const int NonceLength = 12;
    private const int PayloadLength = 1 + 8 + NonceLength;

    /// <summary>How long a link may wait to be followed.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    public static string Mint(string clusterKey, DateTimeOffset now)
    {
        Span<byte> payload = stackalloc byte[PayloadLength];
        payload[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(payload[1..], (now + Lifetime).ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(payload[9..]);
        return string.Concat(
            Prefix,
            Base64Url.EncodeToString(payload),
            ".",
            Base64Url.EncodeToString(Mac(clusterKey, payload))
        );
    }

    /// <summary>The part of a valid link that no other has; null: it is forged, changed, or too old.</summary>
    public static string? Read(string? code, string clusterKey, DateTimeOffset now)
    {
        if (
            code?.StartsWith(Prefix, StringComparison.Ordinal) != true
            || code.Split('.') is not [_, var body, var sign]
            || !Base64Url.IsValid(body)
            || !Base64Url.IsValid(sign)
        )
            return null;
        var payload = Base64Url.DecodeFromChars(body);
        if (
            payload.Length != PayloadLength
            || payload[0] != Version
            || !CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(sign), Mac(clusterKey, payload))
        )
            return null;
        var until = BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(1));
        return until > now.ToUnixTimeMilliseconds() ? Convert.ToHexStringLower(payload.AsSpan(9)) : null;
    }

    private static byte[] Mac(string clusterKey, ReadOnlySpan<byte> payload) =>
        HMACSHA256.HashData(
            HKDF.DeriveKey(
                HashAlgorithmName.SHA256,
                Encoding.UTF8.GetBytes(clusterKey),
                32,
                info: "galaxy/sign-in-link"u8.ToArray()
            ),
            payload
        );
}
