using System.Buffers;
using System.Text;

namespace Galaxy.OneApi.Exchange;

/// <summary>
/// Cuts a byte stream into server-sent events (WHATWG HTML, 9.2). Feed it with <see cref="Add"/>, take what is whole
/// with <see cref="TryTake"/>. Not thread-safe.
/// </summary>
internal sealed class SseFrames : IDisposable
{
    /// <summary>An event that is longer is no event.</summary>
    private const int Longest = 16 * 1024 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4 * 1024);
    private int _start;
    private int _end;
    private int _searched;

    /// <summary>Bytes of an event that is not whole yet.</summary>
    public ReadOnlySpan<byte> Rest => _buffer.AsSpan(_start, _end - _start);

    /// <exception cref="InvalidDataException">One event is too long.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_end + bytes.Length > _buffer.Length)
            MakeRoom(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    private void MakeRoom(int more)
    {
        var kept = _end - _start;
        if (kept + more > Longest)
            throw new InvalidDataException("an event is over 16 MiB");
        var target = kept + more > _buffer.Length ? ArrayPool<byte>.Shared.Rent((kept + more) * 2) : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, kept);
        if (target != _buffer)
            ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _searched, _start, _end) = (target, _searched - _start, 0, kept);
    }

    /// <param name="frame">With the empty line that ends it; valid until the next call of <see cref="Add"/>.</param>
    public bool TryTake(out ReadOnlySpan<byte> frame)
    {
        var from = Math.Max(_start, _searched - 3);
        var span = _buffer.AsSpan(from, _end - from);
        for (var i = 0; (i = Next(span, i)) >= 0; i++)
        {
            // A line feed, then another one, perhaps with a carriage return between.
            var after = i + 1;
            if (after < span.Length && span[after] == '\r')
                after++;
            if (after < span.Length && span[after] == '\n')
            {
                var end = from + after + 1;
                frame = _buffer.AsSpan(_start, end - _start);
                _start = _searched = end;
                return true;
            }
        }
        _searched = _end;
        frame = default;
        return false;
    }

    private static int Next(ReadOnlySpan<byte> span, int from)
    {
        var at = from >= span.Length ? -1 : span[from..].IndexOf((byte)'\n');
        return at < 0 ? -1 : from + at;
    }

    /// <summary>The data of an event, its lines joined; empty when it has none, as comments do.</summary>
    public static string DataOf(ReadOnlySpan<byte> frame)
    {
        string? first = null;
        StringBuilder? more = null;
        while (frame.Length > 0)
        {
            var feed = frame.IndexOf((byte)'\n');
            var line = (feed < 0 ? frame : frame[..feed]).TrimEnd((byte)'\r');
            frame = feed < 0 ? default : frame[(feed + 1)..];
            if (!line.StartsWith("data:"u8))
                continue;
            line = line[5..];
            var text = Encoding.UTF8.GetString(line.StartsWith(" "u8) ? line[1..] : line);
            if (first is null)
                first = text;
            else
                (more ??= new StringBuilder(first)).Append('\n').Append(text);
        }
        return more?.ToString() ?? first ?? "";
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}
