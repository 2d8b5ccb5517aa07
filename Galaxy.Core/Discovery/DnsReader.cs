using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace Galaxy.Core.Discovery;

/// <summary>
/// Parses DNS messages (RFC 1035, section 4). Trusts nothing: lengths are checked, compression pointers may only point
/// backwards, and a message with more records than fit in a datagram is refused. Records of other classes than IN are
/// left out.
/// </summary>
public ref struct DnsReader
{
    private const int MaxRecords = 256;

    // RFC 1035, section 2.3.4: with the length bytes.
    private const int MaxNameBytes = 255;
    private const int InternetClass = 1;
    private const int AnyClass = 255;
    private readonly ReadOnlySpan<byte> _message;
    private int _at;

    private DnsReader(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>False, never an exception, when the bytes are not a DNS message.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        message = null;
        var reader = new DnsReader(bytes);
        return reader.TryRead(ref message);
    }

    private bool TryRead([NotNullWhen(true)] ref DnsMessage? message)
    {
        if (
            !U16(out var id)
            || !U16(out var flags)
            || !U16(out var questions)
            || !U16(out var answers)
            || !U16(out var authorities)
            || !U16(out var additionals)
        )
            return false;
        if (questions + answers + authorities + additionals > MaxRecords)
            return false;

        var asked = new List<DnsQuestion>(questions);
        for (var i = 0; i < questions; i++)
        {
            if (!Name(out var name) || !U16(out var type) || !U16(out var cls))
                return false;
            if ((cls & 0x7FFF) is InternetClass or AnyClass)
                asked.Add(new DnsQuestion(name, (DnsType)type, (cls & 0x8000) != 0));
        }
        if (
            !Records(answers, out var answer)
            || !Records(authorities, out var authority)
            || !Records(additionals, out var additional)
        )
            return false;
        message = new DnsMessage
        {
            Id = id,
            IsResponse = (flags & 0x8000) != 0,
            Authoritative = (flags & 0x0400) != 0,
            Truncated = (flags & 0x0200) != 0,
            RecursionDesired = (flags & 0x0100) != 0,
            Opcode = (byte)((flags >> 11) & 0xF),
            ResponseCode = (byte)(flags & 0xF),
            Questions = asked,
            Answers = answer,
            Authorities = authority,
            Additionals = additional,
        };
        return true;
    }

    private bool Records(int count, out List<DnsRecord> records)
    {
        records = new List<DnsRecord>(count);
        for (var i = 0; i < count; i++)
        {
            if (
                !Name(out var name)
                || !U16(out var type)
                || !U16(out var cls)
                || !U32(out var ttl)
                || !U16(out var length)
            )
                return false;
            var end = _at + length;
            if (end > _message.Length)
                return false;
            if ((cls & 0x7FFF) != InternetClass)
            {
                _at = end;
                continue;
            }
            if (!Data((DnsType)type, length, end, out var data))
                return false;
            _at = end;
            records.Add(new DnsRecord(name, (DnsType)type, ttl, data, (cls & 0x8000) != 0));
        }
        return true;
    }

    private bool Data(DnsType type, int length, int end, out object data)
    {
        data = Array.Empty<byte>();
        switch (type)
        {
            case DnsType.A when length == 4:
            case DnsType.Aaaa when length == 16:
                data = new IPAddress(_message.Slice(_at, length));
                return true;
            case DnsType.A or DnsType.Aaaa:
                return false;
            case DnsType.Ptr:
                if (!Name(out var target) || _at > end)
                    return false;
                data = target;
                return true;
            case DnsType.Srv:
                if (
                    !U16(out var priority)
                    || !U16(out var weight)
                    || !U16(out var port)
                    || !Name(out var host)
                    || _at > end
                )
                    return false;
                data = new DnsSrv(priority, weight, port, host);
                return true;
            case DnsType.Txt:
                var strings = new List<byte[]>();
                while (_at < end)
                {
                    int size = _message[_at++];
                    if (_at + size > end)
                        return false;
                    strings.Add(_message.Slice(_at, size).ToArray());
                    _at += size;
                }
                data = strings;
                return true;
            default:
                data = _message.Slice(_at, length).ToArray();
                return true;
        }
    }

    // RFC 1035, section 4.1.4. Labels are joined with dots; dots and backslashes within a label are escaped.
    private bool Name(out string name)
    {
        name = "";
        var text = new StringBuilder();
        var at = _at;
        var jumped = false;
        var lowest = _at;
        // The root label counts as well.
        var bytes = 1;
        while (true)
        {
            if (at >= _message.Length)
                return false;
            int length = _message[at];
            if ((length & 0xC0) == 0xC0)
            {
                if (at + 1 >= _message.Length)
                    return false;
                var pointer = ((length & 0x3F) << 8) | _message[at + 1];
                if (!jumped)
                    _at = at + 2;
                if (pointer >= lowest)
                    return false;
                jumped = true;
                lowest = at = pointer;
                continue;
            }
            if ((length & 0xC0) != 0)
                return false;
            at++;
            if (length == 0)
                break;
            bytes += length + 1;
            if (at + length > _message.Length || bytes > MaxNameBytes)
                return false;
            if (!TryAppendLabel(text, _message.Slice(at, length)))
                return false;
            at += length;
        }
        if (!jumped)
            _at = at;
        name = text.Length == 0 ? "." : text.ToString();
        return true;
    }

    // Multicast DNS names are UTF-8 (RFC 6762, section 16). Anything else could not be asked for again.
    private static bool TryAppendLabel(StringBuilder text, ReadOnlySpan<byte> label)
    {
        if (!System.Text.Unicode.Utf8.IsValid(label))
            return false;
        foreach (var c in Encoding.UTF8.GetString(label))
        {
            if (c is '.' or '\\')
                text.Append('\\');
            text.Append(c);
        }
        text.Append('.');
        return true;
    }

    private bool U16(out ushort value)
    {
        value = 0;
        if (_at + 2 > _message.Length)
            return false;
        value = BinaryPrimitives.ReadUInt16BigEndian(_message[_at..]);
        _at += 2;
        return true;
    }

    private bool U32(out uint value)
    {
        value = 0;
        if (_at + 4 > _message.Length)
            return false;
        value = BinaryPrimitives.ReadUInt32BigEndian(_message[_at..]);
        _at += 4;
        return true;
    }
}
