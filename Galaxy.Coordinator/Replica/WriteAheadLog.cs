using System.Buffers.Binary;
using System.IO.Hashing;
using Galaxy.Contracts.State;
using Google.Protobuf;

namespace Galaxy.Coordinator.Replica;

/// <summary>
/// What this node wrote since a snapshot, each write handed to the operating system before it is acknowledged: the
/// death of the process loses none. A record is its length (4 bytes, big endian), the CRC-32 of its body, the body. Not
/// thread-safe.
/// </summary>
/// <param name="open">How the file is opened: a test counts what reaches the disk.</param>
internal sealed class WriteAheadLog(string path, OpenFile? open = null) : IDisposable
{
    private const int HeaderBytes = 8;

    // Far above what an entry can be: what is written here must be readable again.
    private const int MaxRecordBytes = 64 * 1024 * 1024;

    // Unbuffered: a write has left the process when Append returns.
    private readonly FileStream _stream = (open ?? DurableFile.Open)(path, FileMode.Append, FileShare.Read, 0);
    private byte[] _buffer = new byte[4096];
    private bool _dirty;

    public string Path => path;

    /// <exception cref="IOException">The disk is full or fails; what was written of the record is taken
    /// back.</exception>
    public void Append(LogRecord record)
    {
        var size = record.CalculateSize();
        if (size > MaxRecordBytes)
            throw new IOException($"The record has {size} bytes; the log takes {MaxRecordBytes}.");
        if (_buffer.Length < HeaderBytes + size)
            _buffer = new byte[Math.Max(_buffer.Length * 2, HeaderBytes + size)];
        var body = _buffer.AsSpan(HeaderBytes, size);
        record.WriteTo(body);
        BinaryPrimitives.WriteInt32BigEndian(_buffer, size);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(4), Crc32.HashToUInt32(body));
        var end = _stream.Position;
        try
        {
            _stream.Write(_buffer, 0, HeaderBytes + size);
        }
        catch (Exception failure) when (failure is IOException or ArgumentOutOfRangeException)
        {
            _stream.SetLength(end);
            // .NET's name for a file that may not grow any further.
            if (failure is ArgumentOutOfRangeException)
                throw new IOException(failure.Message, failure);
            throw;
        }
        _dirty = true;
    }

    /// <summary>To the disk itself.</summary>
    public void Sync()
    {
        if (!_dirty)
            return;
        _dirty = false;
        _stream.Flush(flushToDisk: true);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>The records up to the first that is damaged or unfinished.</summary>
    /// <param name="damagedAt">-1: none is. Otherwise where the file stops making sense.</param>
    /// <param name="unfinished">The damage is a last record that was never completed: its write was not
    /// acknowledged.</param>
    /// <param name="unreadable">Records that are whole and that this version cannot read; those after them are
    /// read.</param>
    public static List<LogRecord> Read(string path, out long damagedAt, out bool unfinished, out int unreadable)
    {
        var file = File.ReadAllBytes(path);
        var records = new List<LogRecord>();
        var at = 0;
        (damagedAt, unfinished, unreadable) = (-1, false, 0);
        while (at < file.Length)
        {
            var left = file.Length - at;
            var size = left >= HeaderBytes ? BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at)) : 0;
            if (left < HeaderBytes || (size is > 0 and <= MaxRecordBytes && left < HeaderBytes + size))
            {
                (damagedAt, unfinished) = (at, true);
                break;
            }
            if (
                size is <= 0 or > MaxRecordBytes
                || Crc32.HashToUInt32(file.AsSpan(at + HeaderBytes, size))
                    != BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 4))
            )
            {
                damagedAt = at;
                break;
            }
            try
            {
                records.Add(LogRecord.Parser.ParseFrom(file.AsSpan(at + HeaderBytes, size)));
            }
            catch (InvalidProtocolBufferException)
            {
                unreadable++;
            }
            at += HeaderBytes + size;
        }
        return records;
    }
}
