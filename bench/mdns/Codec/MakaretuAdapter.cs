using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using Galaxy.Core.Discovery;
using Makaretu.Dns;
using DnsType = Galaxy.Core.Discovery.DnsType;

namespace Galaxy.Bench.Mdns.Codec;

/// <summary>
/// Galaxy.Core's messages by Makaretu.Dns's parser and writer. The adapter converts the records and catches every
/// exception; swap.sh puts the same file into a copy of Galaxy.Core in place of its own codec.
/// </summary>
internal static class MakaretuAdapter
{
    private const int MaxRecords = 256;
    private const int HeaderBytes = 12;
    private const int MaxLabelBytes = 63;
    private const int MaxNameBytes = 255;
    private const int ClassMask = 0x7FFF;
    private const int TopBit = 0x8000;
    private const char Replacement = '\uFFFD';

    private static readonly Dictionary<Makaretu.Dns.DnsType, Func<ResourceRecord>> OfTheLibrary = new(
        ResourceRegistry.Records
    );
    private static readonly Makaretu.Dns.DnsType[] AsciiOnly = [Makaretu.Dns.DnsType.TXT, Makaretu.Dns.DnsType.HINFO];

    private static bool isComplete;

    /// <summary>
    /// False: the adapter converts and catches, no more. True: it also adds what the library lacks and an adapter can
    /// add: TXT and HINFO records with any bytes (<see cref="RawRecord"/>), and the limits of labels and names. Types
    /// with names in their data stay with the library: it refuses pointers to a name that it has not read itself.
    /// The library's registry of types is one for the whole process.
    /// </summary>
    public static bool IsComplete
    {
        get => isComplete;
        set
        {
            if (value == isComplete)
                return;
            isComplete = value;
            foreach (var type in AsciiOnly)
                ResourceRegistry.Records[type] = value ? () => new RawRecord { Type = type } : OfTheLibrary[type];
        }
    }

    /// <summary>False when the library throws, whatever it throws.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        message = null;
        if (bytes.Length < HeaderBytes || (IsComplete && CountOfRecords(bytes) > MaxRecords))
            return false;
        try
        {
            var parsed = new Message();
            parsed.Read(bytes.ToArray());
            var converted = Convert(parsed);
            // The library replaces bytes that are not UTF-8; such a name could not be asked for again.
            if (
                IsComplete
                && (
                    converted.Questions.Any(question => question.Name.Contains(Replacement, StringComparison.Ordinal))
                    || converted.AllRecords.Any(HasReplacedName)
                )
            )
                return false;
            message = converted;
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    /// <exception cref="ArgumentException">The library refuses the message.</exception>
    public static byte[] Write(DnsMessage message)
    {
        try
        {
            return Convert(message).ToByteArray();
        }
        catch (Exception failure) when (failure is not ArgumentException)
        {
            throw new ArgumentException(failure.Message, nameof(message), failure);
        }
    }

    /// <exception cref="ArgumentException">The library refuses the record.</exception>
    public static byte[] RawData(DnsRecord record)
    {
        try
        {
            return Convert(record).GetData();
        }
        catch (Exception failure) when (failure is not ArgumentException)
        {
            throw new ArgumentException(failure.Message, nameof(record), failure);
        }
    }

    private static int CountOfRecords(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        for (var at = 4; at < HeaderBytes; at += 2)
            count += (bytes[at] << 8) | bytes[at + 1];
        return count;
    }

    private static bool HasReplacedName(DnsRecord record) =>
        record.Name.Contains(Replacement, StringComparison.Ordinal)
        || (
            record.Data switch
            {
                string target => target,
                DnsSrv srv => srv.Target,
                _ => "",
            }
        ).Contains(Replacement, StringComparison.Ordinal);

    private static DnsMessage Convert(Message parsed) =>
        new()
        {
            Id = parsed.Id,
            IsResponse = parsed.QR,
            Authoritative = parsed.AA,
            Truncated = parsed.TC,
            RecursionDesired = parsed.RD,
            Opcode = (byte)parsed.Opcode,
            ResponseCode = (byte)((int)parsed.Status & 0xF),
            Questions =
            [
                .. parsed
                    .Questions.Where(question => ((int)question.Class & ClassMask) is 1 or 255)
                    .Select(question => new DnsQuestion(
                        Name(question.Name),
                        (DnsType)question.Type,
                        ((int)question.Class & TopBit) != 0
                    )),
            ],
            Answers = Records(parsed.Answers),
            Authorities = Records(parsed.AuthorityRecords),
            Additionals = Records(parsed.AdditionalRecords),
        };

    private static List<DnsRecord> Records(IEnumerable<ResourceRecord> records) =>
        [.. records.Where(record => ((int)record.Class & ClassMask) == 1).Select(Convert)];

    private static DnsRecord Convert(ResourceRecord record) =>
        new(
            Name(record.Name),
            (DnsType)record.Type,
            (uint)record.TTL.TotalSeconds,
            Data(record),
            ((int)record.Class & TopBit) != 0
        );

    private static object Data(ResourceRecord record) =>
        record switch
        {
            AddressRecord address => new IPAddress(address.Address.GetAddressBytes()),
            PTRRecord pointer => Name(pointer.DomainName),
            SRVRecord srv => new DnsSrv(srv.Priority, srv.Weight, srv.Port, Name(srv.Target)),
            RawRecord { Type: Makaretu.Dns.DnsType.TXT } text => Strings(text.Bytes),
            RawRecord raw => raw.Bytes,
            TXTRecord text => (IReadOnlyList<byte[]>)[.. text.Strings.Select(Encoding.UTF8.GetBytes)],
            UnknownRecord unknown => unknown.Data,
            _ => record.GetData(),
        };

    private static List<byte[]> Strings(byte[] data)
    {
        var strings = new List<byte[]>();
        for (var at = 0; at < data.Length; at += data[at] + 1)
        {
            if (at + 1 + data[at] > data.Length)
                throw new InvalidDataException("A TXT string is longer than the record's data.");
            strings.Add(data[(at + 1)..(at + 1 + data[at])]);
        }
        return strings;
    }

    private static byte[] Joined(IReadOnlyList<byte[]> strings) =>
        strings.Count == 0 ? [0] : [.. strings.SelectMany(text => (byte[])[checked((byte)text.Length), .. text])];

    private static Message Convert(DnsMessage message)
    {
        var written = new Message
        {
            Id = message.Id,
            QR = message.IsResponse,
            AA = message.Authoritative,
            TC = message.Truncated,
            RD = message.RecursionDesired,
            Opcode = (MessageOperation)message.Opcode,
            Status = (MessageStatus)message.ResponseCode,
        };
        foreach (var question in message.Questions)
        {
            written.Questions.Add(
                new Question
                {
                    Name = Name(question.Name),
                    Type = (Makaretu.Dns.DnsType)question.Type,
                    Class = (DnsClass)(question.Unicast ? TopBit | 1 : 1),
                }
            );
        }
        written.Answers.AddRange(message.Answers.Select(Convert));
        written.AuthorityRecords.AddRange(message.Authorities.Select(Convert));
        written.AdditionalRecords.AddRange(message.Additionals.Select(Convert));
        return written;
    }

    private static ResourceRecord Convert(DnsRecord record)
    {
        ResourceRecord converted = record.Data switch
        {
            IPAddress address => AddressRecord.Create("", address),
            string target => new PTRRecord { DomainName = Name(target) },
            DnsSrv srv => new SRVRecord
            {
                Priority = srv.Priority,
                Weight = srv.Weight,
                Port = srv.Port,
                Target = Name(srv.Target),
            },
            IReadOnlyList<byte[]> strings when IsComplete => new RawRecord { Bytes = Joined(strings) },
            IReadOnlyList<byte[]> strings => new TXTRecord { Strings = [.. strings.Select(Encoding.UTF8.GetString)] },
            IReadOnlyList<DnsType> types => new NSECRecord
            {
                NextOwnerName = Name(record.Name),
                Types = [.. types.Select(type => (Makaretu.Dns.DnsType)type)],
            },
            byte[] raw => new UnknownRecord { Data = raw },
            _ => throw new ArgumentException($"A {record.Type} record cannot carry {record.Data.GetType().Name}."),
        };
        converted.Name = Name(record.Name);
        converted.Type = (Makaretu.Dns.DnsType)record.Type;
        converted.Class = (DnsClass)(record.CacheFlush ? TopBit | 1 : 1);
        converted.TTL = TimeSpan.FromSeconds(record.Ttl);
        return converted;
    }

    // The library takes the reserved label types 01 and 10 (RFC 1035, section 4.1.4) for lengths of up to 191 bytes.
    private static string Name(DomainName name)
    {
        if (name.Labels.Count == 0)
            return ".";
        var text = new StringBuilder();
        if (IsComplete)
            Check(name.Labels);
        foreach (var label in name.Labels)
        {
            text.Append(
                    label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(".", "\\.", StringComparison.Ordinal)
                )
                .Append('.');
        }
        return text.ToString();
    }

    // The library's own parser of names has another notation for escapes; labels are passed one by one.
    private static DomainName Name(string name)
    {
        var labels = new List<string>();
        var label = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '\\' && i + 1 < name.Length)
                label.Append(name[++i]);
            else if (name[i] == '.')
            {
                if (name.Length > 1)
                    labels.Add(label.ToString());
                label.Clear();
            }
            else
                label.Append(name[i]);
        }
        if (label.Length > 0)
            labels.Add(label.ToString());
        if (IsComplete)
            Check(labels);
        return new DomainName([.. labels]);
    }

    private static void Check(IReadOnlyList<string> labels)
    {
        var total = 1;
        foreach (var label in labels)
        {
            var bytes = Encoding.UTF8.GetByteCount(label);
            if (bytes is 0 or > MaxLabelBytes)
                throw new ArgumentException($"A label has {bytes} bytes; 1 to 63 are allowed.");
            total += bytes + 1;
        }
        if (total > MaxNameBytes)
            throw new ArgumentException($"A name has {total} bytes; 255 are allowed.");
    }

    /// <summary>A record whose data is kept as it is.</summary>
    private sealed class RawRecord : ResourceRecord
    {
        public byte[] Bytes { get; set; } = [];

        public override void ReadData(WireReader reader, int length) => Bytes = reader.ReadBytes(length);

        public override void WriteData(WireWriter writer) => writer.WriteBytes(Bytes);
    }
}
