using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Backup;

/// <summary>What a backup says of itself, readable without the key.</summary>
/// <param name="KeyCheck">Tells whether a key is the one that it was made under, and gives nothing away of it.</param>
internal sealed record BackupHeader(
    int Format,
    string Cluster,
    string Version,
    DateTimeOffset CreatedAt,
    string KeyCheck,
    int Entries,
    int Keys,
    long Tasks
);

/// <summary>An entry of the replicated state.</summary>
internal sealed record BackupEntry(string Namespace, string Key, byte[] Value, string Policy, int Priority);

/// <summary>A key of the store.</summary>
/// <param name="Name">Without the cluster's prefix.</param>
/// <param name="Type"><c>string</c>, <c>list</c>, <c>zset</c> (score and element in turn) or <c>hash</c> (field and
/// value in turn).</param>
/// <param name="TtlMs">Null: it does not expire.</param>
internal sealed record BackupKey(string Name, string Type, IReadOnlyList<byte[]> Items, long? TtlMs);

internal sealed record BackupBody(IReadOnlyList<BackupEntry> Entries, IReadOnlyList<BackupKey> Keys);

/// <summary>
/// The file of a backup: <c>GXB1</c>, the header's length (4 bytes, big endian), the header in JSON, a nonce (12), a
/// tag (16), and the body, JSON in gzip, under AES-256-GCM with a key from the cluster's (HKDF, purpose <c>backup</c>);
/// the header is authenticated with it. One bit that is not as it was, anywhere, and nothing of it is taken.
/// </summary>
internal static class BackupFile
{
    public const int Format = 1;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int MostHeaderBytes = 64 * 1024;

    private static ReadOnlySpan<byte> Magic => "GXB1"u8;

    public static string KeyCheck(string apiKey) =>
        Convert.ToHexStringLower(ApiKey.Derive(apiKey, "backup-check").AsSpan(0, 8));

    public static byte[] Encode(BackupHeader header, BackupBody body, string apiKey)
    {
        var head = JsonSerializer.SerializeToUtf8Bytes(header, GalaxyJson.Options);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            JsonSerializer.Serialize(gzip, body, GalaxyJson.Options);
        var plain = packed.GetBuffer().AsSpan(0, (int)packed.Length);

        var start = Magic.Length + 4 + head.Length;
        var file = new byte[start + NonceBytes + TagBytes + plain.Length];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(Magic.Length), head.Length);
        head.CopyTo(file.AsSpan(Magic.Length + 4));
        RandomNumberGenerator.Fill(file.AsSpan(start, NonceBytes));
        using var aes = new AesGcm(ApiKey.Derive(apiKey, "backup"), TagBytes);
        aes.Encrypt(
            file.AsSpan(start, NonceBytes),
            plain,
            file.AsSpan(start + NonceBytes + TagBytes),
            file.AsSpan(start + NonceBytes, TagBytes),
            file.AsSpan(0, start)
        );
        return file;
    }

    /// <exception cref="InvalidDataException">It is no backup, is damaged, or was made under another key; the message
    /// says which.</exception>
    public static (BackupHeader Header, BackupBody Body) Decode(ReadOnlySpan<byte> file, string apiKey)
    {
        var (header, start) = ReadHeader(file);
        if (header.KeyCheck != KeyCheck(apiKey))
            throw new InvalidDataException(
                "it was made under another GALAXY_API_KEY: give that one with --old-key, or start the new "
                    + "cluster with it"
            );
        if (file.Length < start + NonceBytes + TagBytes)
            throw new InvalidDataException("it is cut short");
        var plain = new byte[file.Length - start - NonceBytes - TagBytes];
        try
        {
            using var aes = new AesGcm(ApiKey.Derive(apiKey, "backup"), TagBytes);
            aes.Decrypt(
                file.Slice(start, NonceBytes),
                file[(start + NonceBytes + TagBytes)..],
                file.Slice(start + NonceBytes, TagBytes),
                plain,
                file[..start]
            );
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new InvalidDataException("it is damaged or was changed: its seal does not match");
        }
        using var gzip = new GZipStream(new MemoryStream(plain), CompressionMode.Decompress);
        return (
            header,
            JsonSerializer.Deserialize<BackupBody>(gzip, GalaxyJson.Options)
                ?? throw new InvalidDataException("its body is empty")
        );
    }

    /// <exception cref="InvalidDataException">It is no backup that this version reads.</exception>
    public static (BackupHeader Header, int Length) ReadHeader(ReadOnlySpan<byte> file)
    {
        if (file.Length < Magic.Length + 4 || !file[..Magic.Length].SequenceEqual(Magic))
            throw new InvalidDataException("it is no backup of Galaxy");
        var length = BinaryPrimitives.ReadInt32BigEndian(file[Magic.Length..]);
        if (length is < 2 or > MostHeaderBytes || file.Length < Magic.Length + 4 + length)
            throw new InvalidDataException("it is cut short or damaged");
        BackupHeader? header;
        try
        {
            header = JsonSerializer.Deserialize<BackupHeader>(file.Slice(Magic.Length + 4, length), GalaxyJson.Options);
        }
        catch (JsonException)
        {
            throw new InvalidDataException("its header is damaged");
        }
        return header switch
        {
            null => throw new InvalidDataException("its header is damaged"),
            { Format: not Format } => throw new InvalidDataException(
                $"it has format {header.Format}; this version reads format {Format}"
            ),
            _ => (header, Magic.Length + 4 + length),
        };
    }
}
