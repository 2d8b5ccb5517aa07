using System.Buffers.Binary;
using System.Security.Cryptography;
using Galaxy.Contracts.State;
using Google.Protobuf;

namespace Galaxy.Coordinator.Replica;

/// <summary>
/// A snapshot on disk: <c>GXS1</c>, the length of the body (8 bytes, big endian), its SHA-256, the body.
/// </summary>
internal static class SnapshotFile
{
    private const int HeaderBytes = 4 + 8 + SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Magic => "GXS1"u8;

    public static byte[] Encode(Snapshot snapshot)
    {
        var size = snapshot.CalculateSize();
        var file = new byte[HeaderBytes + size];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(4), size);
        snapshot.WriteTo(file.AsSpan(HeaderBytes));
        SHA256.HashData(file.AsSpan(HeaderBytes), file.AsSpan(12, SHA256.HashSizeInBytes));
        return file;
    }

    /// <exception cref="InvalidDataException">Damaged; the message says how.</exception>
    public static Snapshot Decode(byte[] file)
    {
        if (file.Length < HeaderBytes || !file.AsSpan(0, 4).SequenceEqual(Magic))
            throw new InvalidDataException("it is not a snapshot");
        var size = BinaryPrimitives.ReadInt64BigEndian(file.AsSpan(4));
        if (size != file.Length - HeaderBytes)
            throw new InvalidDataException($"it is cut short: {file.Length - HeaderBytes} of {size} bytes");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(file.AsSpan(HeaderBytes), hash);
        if (!hash.SequenceEqual(file.AsSpan(12, SHA256.HashSizeInBytes)))
            throw new InvalidDataException("its content does not match its SHA-256");
        try
        {
            return Snapshot.Parser.ParseFrom(file.AsSpan(HeaderBytes));
        }
        catch (InvalidProtocolBufferException bad)
        {
            throw new InvalidDataException(bad.Message, bad);
        }
    }

    /// <summary>The hash that names the state.</summary>
    public static string Hash(byte[] file) => Convert.ToHexStringLower(file.AsSpan(12, SHA256.HashSizeInBytes));
}
