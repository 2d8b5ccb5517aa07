#pragma warning disable CA1001 // A MemoryStream holds nothing that needs disposing.
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Galaxy.Core.Discovery;

/// <summary>Writes DNS messages with name compression (RFC 1035, section 4.1.4).</summary>
public sealed class DnsWriter
{
    // RFC 1035, section 2.3.4: with the length bytes.
    private const int MaxNameBytes = 255;

    private readonly MemoryStream _out = new();
    private bool _compress = true;

    // Names that differ in case only are written apart: each keeps its case (RFC 6762, section 16).
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    private DnsWriter() { }

    /// <summary>The message's bytes.</summary>
    /// <exception cref="ArgumentException">A name has an empty label, one of more than 63 bytes, or more than 255 bytes
    /// in all.</exception>
    public static byte[] Write(DnsMessage message)
    {
        var writer = new DnsWriter();
        writer.U16(message.Id);
        writer.U16(
            (ushort)(
                (message.IsResponse ? 0x8000 : 0)
                | (message.Authoritative ? 0x0400 : 0)
                | (message.Truncated ? 0x0200 : 0)
                | (message.RecursionDesired ? 0x0100 : 0)
                | (message.Opcode << 11)
                | message.ResponseCode
            )
        );
        writer.U16((ushort)message.Questions.Count);
        writer.U16((ushort)message.Answers.Count);
        writer.U16((ushort)message.Authorities.Count);
        writer.U16((ushort)message.Additionals.Count);
        foreach (var question in message.Questions)
        {
            writer.Name(question.Name);
            writer.U16((ushort)question.Type);
            writer.U16((ushort)(question.Unicast ? 0x8001 : 1));
        }
        foreach (var record in message.AllRecords)
            writer.Record(record);
        return writer._out.ToArray();
    }

    /// <summary>A record's data without compression, as records are compared (RFC 6762, section 8.2).</summary>
    /// <exception cref="ArgumentException">As for <see cref="Write"/>.</exception>
    public static byte[] RawData(DnsRecord record)
    {
        var writer = new DnsWriter { _compress = false };
        writer.Data(record);
        return writer._out.ToArray();
    }

    private void Record(DnsRecord record)
    {
        Name(record.Name);
        U16((ushort)record.Type);
        U16((ushort)(record.CacheFlush ? 0x8001 : 1));
        U32(record.Ttl);
        var lengthAt = (int)_out.Position;
        U16(0);
        Data(record);
        var end = _out.Position;
        _out.Position = lengthAt;
        U16((ushort)(end - lengthAt - 2));
        _out.Position = end;
    }

    private void Data(DnsRecord record)
    {
        switch (record.Data)
        {
            case IPAddress address:
                _out.Write(address.GetAddressBytes());
                break;
            case string target:
                Name(target);
                break;
            case DnsSrv srv:
                U16(srv.Priority);
                U16(srv.Weight);
                U16(srv.Port);
                Name(srv.Target);
                break;
            case IReadOnlyList<byte[]> strings:
                foreach (var text in strings)
                {
                    _out.WriteByte(checked((byte)text.Length));
                    _out.Write(text);
                }
                if (strings.Count == 0)
                    _out.WriteByte(0);
                break;
            case IReadOnlyList<DnsType> types:
                Nsec(record.Name, types);
                break;
            case byte[] raw:
                _out.Write(raw);
                break;
            default:
                throw new ArgumentException(
                    $"A {record.Type} record cannot carry {record.Data.GetType().Name}.",
                    nameof(record)
                );
        }
    }

    // RFC 4034, section 4.1, restricted as RFC 6762, section 6.1 asks: block 0, next name is the name itself.
    private void Nsec(string name, IReadOnlyList<DnsType> types)
    {
        Name(name);
        var bitmap = new byte[types.Max(type => (int)type) / 8 + 1];
        foreach (var type in types)
            bitmap[(int)type / 8] |= (byte)(0x80 >> ((int)type % 8));
        _out.WriteByte(0);
        _out.WriteByte((byte)bitmap.Length);
        _out.Write(bitmap);
    }

    private void Name(string name)
    {
        // A name is written with at most two bytes more than its text has; the usual name need not be taken apart for
        // this.
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes - 2 && WrittenBytes(name) > MaxNameBytes)
            throw new ArgumentException($"The name '{name}' has more than {MaxNameBytes} bytes.", nameof(name));
        var rest = name;
        while (rest is not ("" or "."))
        {
            if (_names.TryGetValue(rest, out var pointer))
            {
                U16((ushort)(0xC000 | pointer));
                return;
            }
            if (_compress && _out.Position < 0x4000)
                _names[rest] = (int)_out.Position;
            var label = Encoding.UTF8.GetBytes(TakeLabel(ref rest));
            if (label.Length is 0 or > 63)
                throw new ArgumentException(
                    $"The name '{name}' has a label of {label.Length} bytes; 1 to 63 are allowed.",
                    nameof(name)
                );
            _out.WriteByte((byte)label.Length);
            _out.Write(label);
        }
        _out.WriteByte(0);
    }

    private static int WrittenBytes(string name)
    {
        var (rest, bytes) = (name, 1);
        while (rest is not ("" or "."))
            bytes += 1 + Encoding.UTF8.GetByteCount(TakeLabel(ref rest));
        return bytes;
    }

    private static string TakeLabel(ref string rest)
    {
        var label = new StringBuilder();
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] == '\\' && i + 1 < rest.Length)
                label.Append(rest[++i]);
            else if (rest[i] == '.')
            {
                rest = rest[(i + 1)..];
                return label.ToString();
            }
            else
                label.Append(rest[i]);
        }
        rest = "";
        return label.ToString();
    }

    private void U16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        _out.Write(bytes);
    }

    private void U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _out.Write(bytes);
    }
}
