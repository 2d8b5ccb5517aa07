using System.Security.Cryptography;
using System.Text;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>The shared key and what is derived from it (HKDF, RFC 5869).</summary>
public static class ApiKey
{
    /// <summary>True when both are the same; takes the same time whatever differs.</summary>
    public static bool Matches(string presented, string expected) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(presented)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));

    /// <summary>32 bytes for one purpose, so that no two uses of the key share key material.</summary>
    public static byte[] Derive(string apiKey, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(apiKey), 32, info: Encoding.UTF8.GetBytes("galaxy/" + purpose));
}
