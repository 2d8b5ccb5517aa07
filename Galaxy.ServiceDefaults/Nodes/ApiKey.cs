using System.Security.Cryptography;
using System.Text;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>The shared key and what is derived from it (HKDF, RFC 5869).</summary>
public static class ApiKey
{
    /// <summary>True when both are the same; takes the same time whatever differs.</summary>
    public static bool Matches(string presented, string expected) => Matches(presented, Fingerprint(expected));

    /// <summary>
    /// What <see cref="Matches(ReadOnlySpan{char}, ReadOnlySpan{byte})"/> compares with, worked out once.
    /// </summary>
    public static byte[] Fingerprint(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether a text can be a fingerprint in hexadecimal.</summary>
    public static bool IsFingerprint(string text) =>
        text.Length == 2 * SHA256.HashSizeInBytes && text.All(char.IsAsciiHexDigit);

    /// <summary>
    /// True when the presented key has that fingerprint; takes the same time whatever differs, and allocates nothing
    /// for keys of ordinary length.
    /// </summary>
    public static bool Matches(ReadOnlySpan<char> presented, ReadOnlySpan<byte> fingerprint)
    {
        const int Ordinary = 256;
        if (Encoding.UTF8.GetMaxByteCount(presented.Length) > Ordinary)
            return CryptographicOperations.FixedTimeEquals(
                SHA256.HashData(Encoding.UTF8.GetBytes(presented.ToArray())),
                fingerprint
            );
        Span<byte> bytes = stackalloc byte[Ordinary];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(presented, bytes)], hash);
        return CryptographicOperations.FixedTimeEquals(hash, fingerprint);
    }

    /// <summary>32 bytes for one purpose, so that no two uses of the key share key material.</summary>
    public static byte[] Derive(string apiKey, string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(apiKey),
            32,
            info: Encoding.UTF8.GetBytes("galaxy/" + purpose)
        );
}
