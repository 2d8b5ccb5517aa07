using System.Globalization;
using System.Net;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;

namespace Galaxy.Bench.Mdns.Codec;

/// <summary>
/// Whether a codec keeps what RFC 1035, 6762 and 6763 ask for. Every message is also read by the other codec, so that a
/// mistake that a codec makes twice, in writing and in reading, is seen.
/// </summary>
internal static class Fidelity
{
    private const int LongestCell = 80;
    private const string Service = ServiceTxt.ServiceType;

    /// <summary>A criterion; the check returns null when it is met and what was seen when it is not.</summary>
    private sealed record Criterion(string Name, Func<IDnsCodec, IDnsCodec, string?> Check);

    private static readonly IReadOnlyList<Criterion> Criteria =
    [
        Same(
            "header: id, QR, AA, TC, RD, opcode, response code",
            new DnsMessage
            {
                Id = 0xBEEF,
                IsResponse = true,
                Authoritative = true,
                Truncated = true,
                RecursionDesired = true,
                Opcode = 4,
                ResponseCode = 3,
            }
        ),
        Same("PTR, SRV, TXT, A, AAAA with the cache-flush bit", Answer()),
        Same(
            "QU bit of a question",
            new DnsMessage { Questions = [new(Service, DnsType.Ptr, Unicast: true), new(Service, DnsType.Any)] }
        ),
        Same(
            "TTL 0, 4,500 and 2,147,483,647",
            One(
                new DnsRecord("n.local.", DnsType.Ptr, 0, "a.local."),
                new("n.local.", DnsType.Ptr, 4500, "b.local."),
                new("n.local.", DnsType.Ptr, int.MaxValue, "c.local.")
            )
        ),
        new("NSEC is written as RFC 6762, section 6.1, asks", WritesNsec),
        Parsed(
            "NSEC with a compressed next name is read",
            [
                .. Header(1),
                1,
                (byte)'h',
                5,
                .. "local"u8,
                0,
                0,
                47,
                0x80,
                1,
                0,
                0,
                0,
                60,
                0,
                6,
                0xC0,
                12,
                0,
                2,
                0x40,
                0x08,
            ],
            message => message.Answers is [{ Type: DnsType.Nsec, CacheFlush: true }]
        ),
        new("names are compressed (bytes of the five records)", Compresses),
        Parsed(
            "a compressed SRV target is read",
            [
                .. Header(1),
                1,
                (byte)'h',
                5,
                .. "local"u8,
                0,
                0,
                33,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                8,
                0,
                0,
                0,
                0,
                31,
                144,
                0xC0,
                12,
            ],
            message => message.Answers is [{ Data: DnsSrv { Port: 8080, Target: "h.local." } }]
        ),
        Same("label with dots", Named(@"a\.b\.c")),
        Same("label with a backslash", Named(@"a\\b")),
        Same("label with a space, quotes, brackets, semicolon and @", Named("My node (2) \"x\" ; @")),
        Same("label with control characters", Named("a\u0001\u0007b")),
        Same("label of digits after a backslash", Named(@"a\\065")),
        Same("label in Chinese, Cyrillic and an emoji", Named("节点-узел-😀")),
        Same("label of 63 bytes", Named(new string('x', 63))),
        Same(
            "names that differ in case keep their case",
            One(
                new DnsRecord("Node.local.", DnsType.Ptr, 1, "NODE.local."),
                new("node.LOCAL.", DnsType.Ptr, 1, "noDE.Local.")
            )
        ),
        Refused("label of 64 bytes is not written", Named(new string('x', 64))),
        Refused(
            "name of more than 255 bytes is not written",
            Named(string.Join('.', Enumerable.Repeat(new string('x', 60), 5)))
        ),
        Refused("empty label is not written", Named("a..b")),
        Malformed(
            "label that is not UTF-8 is refused",
            [.. Header(1), 2, 0xFF, 0xFE, 5, .. "local"u8, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]
        ),
        Same(
            "unknown type 65280 with 300 bytes",
            One(new DnsRecord("n.local.", (DnsType)65280, 60, Bytes(300), CacheFlush: true))
        ),
        Same("unknown type with no bytes", One(new DnsRecord("n.local.", (DnsType)65281, 60, Array.Empty<byte>()))),
        Same("HTTPS record (type 65) as raw bytes", One(new DnsRecord("n.local.", (DnsType)65, 60, Bytes(40)))),
        Parsed(
            "HINFO record (type 13) keeps its bytes",
            [.. Header(1), 1, (byte)'h', 0, 0, 13, 0, 1, 0, 0, 0, 60, 0, 8, 3, .. "ARM"u8, 3, 0xFF, 0x80, 0x01],
            message =>
                message.Answers is [{ Data: byte[] data }]
                && data.SequenceEqual((byte[])[3, .. "ARM"u8, 3, 0xFF, 0x80, 0x01])
        ),
        Same(
            "TXT with every byte value",
            One(
                new DnsRecord(
                    "n.local.",
                    DnsType.Txt,
                    1,
                    (IReadOnlyList<byte[]>)[Bytes(255), [.. "k="u8, 0xFF, 0x80, 0x00]]
                )
            )
        ),
        Same(
            "TXT with empty strings between others",
            One(
                new DnsRecord(
                    "n.local.",
                    DnsType.Txt,
                    1,
                    (IReadOnlyList<byte[]>)["a=1"u8.ToArray(), [], "b="u8.ToArray(), []]
                )
            )
        ),
        Same(
            "TXT with one empty string",
            One(
                new DnsRecord(
                    "n.local.",
                    DnsType.Txt,
                    1,
                    (IReadOnlyList<byte[]>)
                        [
                            [],
                        ]
                )
            )
        ),
        Refused(
            "TXT string of 256 bytes is not written",
            One(new DnsRecord("n.local.", DnsType.Txt, 1, (IReadOnlyList<byte[]>)[new byte[256]]))
        ),
        Parsed(
            "records of another class than IN are left out",
            [
                .. Header(2),
                1,
                (byte)'h',
                0,
                0,
                1,
                0,
                3,
                0,
                0,
                0,
                60,
                0,
                4,
                10,
                0,
                0,
                1,
                1,
                (byte)'i',
                0,
                0,
                1,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                4,
                10,
                0,
                0,
                2,
            ],
            message => message.Answers is [{ Name: "i." }]
        ),
        Parsed(
            "an EDNS0 OPT record with a payload size is no obstacle",
            [.. Header(1), 0, 0, 41, 0x05, 0xA0, 0, 0, 0x11, 0x94, 0, 12, 0, 4, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7],
            _ => true
        ),
        Parsed(
            "a pointer to a name in the data of an unknown type is followed",
            [
                .. Header(2),
                1,
                (byte)'h',
                0,
                0xFF,
                0,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                3,
                1,
                (byte)'i',
                0,
                0xC0,
                25,
                0,
                1,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                4,
                10,
                0,
                0,
                2,
            ],
            message => message.Answers is [_, { Name: "i." }]
        ),
        Malformed("compression pointer to itself", [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 12, 0, 1]),
        Malformed(
            "compression pointers that point at each other",
            [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0xC0, 18, 0, 12, 0, 1, 0xC0, 12, 0, 12, 0, 1]
        ),
        Malformed(
            "compression pointer forwards",
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 18, 0, 12, 0, 1, 1, (byte)'a', 0]
        ),
        Malformed(
            "label of the reserved type 01",
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 64, .. Enumerable.Repeat((byte)'a', 64), 0, 0, 12, 0, 1]
        ),
        Malformed(
            "name of 320 bytes in a question",
            [
                0,
                0,
                0,
                0,
                0,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
                .. Enumerable.Repeat((byte[])[63, .. Enumerable.Repeat((byte)'a', 63)], 5).SelectMany(label => label),
                0,
                0,
                12,
                0,
                1,
            ]
        ),
        Malformed(
            "name of 300 bytes in 150 Cyrillic letters",
            [
                0,
                0,
                0,
                0,
                0,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
                .. Enumerable
                    .Repeat((byte[])[60, .. Encoding.UTF8.GetBytes(new string('\u0436', 30))], 5)
                    .SelectMany(label => label),
                0,
                0,
                12,
                0,
                1,
            ]
        ),
        Malformed(
            "A record of 5 bytes",
            [.. Header(1), 1, (byte)'h', 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 5, 10, 0, 0, 1, 9]
        ),
        Malformed(
            "PTR whose name is longer than its data",
            [.. Header(1), 1, (byte)'h', 0, 0, 12, 0, 1, 0, 0, 0, 60, 0, 2, 3, .. "abc"u8, 0]
        ),
        Malformed(
            "TXT string longer than its data",
            [.. Header(1), 1, (byte)'h', 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 9, .. "k=12345678"u8]
        ),
        Malformed(
            "257 questions",
            [
                0,
                0,
                0,
                0,
                1,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
                .. Enumerable.Repeat((byte[])[1, 97, 0, 0, 1, 0, 1], 257).SelectMany(x => x),
            ]
        ),
        new("every prefix of a message is refused", RefusesPrefixes),
        Same(
            "message of 9,000 bytes",
            One([.. Enumerable.Range(0, 30).Select(i => new DnsRecord($"n{i}.local.", (DnsType)65280, 1, Bytes(280)))])
        ),
        new("100 known answers fit in packets of 1,440 bytes, all but the last truncated", Packs),
        new("tie-break bytes (RFC 6762, section 8.2) equal the other codec's", SameRawData),
    ];

    /// <summary>Prints the table. What a codec writes is read by the other one of its pair as well.</summary>
    public static void Run(params (IDnsCodec Codec, IDnsCodec Other)[] pairs)
    {
        var codecs = pairs.Select(pair => pair.Codec).ToArray();
        Console.WriteLine($"| criterion | {string.Join(" | ", codecs.Select(codec => codec.Name))} |");
        Console.WriteLine($"|---|{string.Concat(codecs.Select(_ => "---|"))}");
        var met = new int[codecs.Length];
        foreach (var criterion in Criteria)
        {
            var seen = pairs.Select(pair => Try(criterion, pair.Codec, pair.Other)).ToList();
            for (var at = 0; at < codecs.Length; at++)
                met[at] += seen[at] is null ? 1 : 0;
            Console.WriteLine($"| {criterion.Name} | {string.Join(" | ", seen.Select(Cell))} |");
        }
        Console.WriteLine($"| met, of {Criteria.Count} | {string.Join(" | ", met)} |");
        Console.WriteLine();
        Console.WriteLine(
            $"Bytes of a node's five records: "
                + string.Join(", ", codecs.Select(codec => $"{codec.Write(Answer()).Length} by {codec.Name}"))
        );
    }

    private static string Cell(string? seen)
    {
        if (seen is null)
            return "yes";
        var text = seen.Replace('|', '/').ReplaceLineEndings(" ");
        return $"**no**: {(text.Length > LongestCell ? text[..LongestCell] + "…" : text)}";
    }

    private static string? Try(Criterion criterion, IDnsCodec codec, IDnsCodec other)
    {
        try
        {
            return criterion.Check(codec, other);
        }
        catch (Exception failure)
        {
            return $"{failure.GetType().Name}: {failure.Message}";
        }
    }

    /// <summary>The records that a node announces.</summary>
    internal static DnsMessage Answer() =>
        new()
        {
            IsResponse = true,
            Authoritative = true,
            Answers =
            [
                new(Service, DnsType.Ptr, 4500, $"node-a.{Service}"),
                new(
                    $"node-a.{Service}",
                    DnsType.Srv,
                    60,
                    new DnsSrv(0, 0, 8071, "galaxy-node-a.local."),
                    CacheFlush: true
                ),
                new(
                    $"node-a.{Service}",
                    DnsType.Txt,
                    4500,
                    ServiceTxt.Write([new("node_id", "node-a"), new("cluster", "lab")]),
                    CacheFlush: true
                ),
                new("galaxy-node-a.local.", DnsType.A, 60, IPAddress.Parse("10.88.0.1"), CacheFlush: true),
                new("galaxy-node-a.local.", DnsType.Aaaa, 60, IPAddress.Parse("fe80::1"), CacheFlush: true),
            ],
        };

    private static DnsMessage One(params DnsRecord[] records) => new() { IsResponse = true, Answers = records };

    private static DnsMessage Named(string label) =>
        One(new DnsRecord($"{label}.{Service}", DnsType.Srv, 60, new DnsSrv(0, 0, 1, $"{label}.local.")));

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)i)];

    private static byte[] Header(byte answers) => [0, 0, 0x84, 0, 0, 0, 0, answers, 0, 0, 0, 0];

    private static Criterion Same(string name, DnsMessage message) => new(name, (codec, other) =>
        {
            var bytes = codec.Write(message);
            if (!codec.TryParse(bytes, out var read))
                return "it does not read what it wrote";
            if (Text(read) != Text(message))
                return $"reads {Difference(message, read)}";
            if (!other.TryParse(bytes, out var elsewhere) || Text(elsewhere) != Text(message))
                return $"writes what {other.Name} reads differently: "
                    + (elsewhere is null ? "refused" : Difference(message, elsewhere));
            return null;
        });

    private static Criterion Parsed(string name, byte[] bytes, Func<DnsMessage, bool> isRight) =>
        new(name, (codec, _) => !codec.TryParse(bytes, out var message) ? "refused"
            : isRight(message) ? null
            : $"reads {Text(message)}");

    private static Criterion Malformed(string name, byte[] bytes) =>
        new(name, (codec, _) => codec.TryParse(bytes, out var message) ? $"accepted as {Text(message)}" : null);

    private static Criterion Refused(string name, DnsMessage message) => new(name, (codec, _) =>
        {
            try
            {
                return $"written in {codec.Write(message).Length} bytes";
            }
            catch (Exception refusal) when (refusal is ArgumentException or OverflowException)
            {
                return null;
            }
        });

    private static string? WritesNsec(IDnsCodec codec, IDnsCodec other)
    {
        var record = new DnsRecord(
            "h.local.",
            DnsType.Nsec,
            60,
            (IReadOnlyList<DnsType>)[DnsType.A, DnsType.Aaaa],
            CacheFlush: true
        );
        // Next name, block 0, 4 bytes of bits: type 1 is bit 1 of the first, type 28 bit 4 of the fourth.
        byte[] expected = [1, (byte)'h', 5, .. "local"u8, 0, 0, 4, 0x40, 0, 0, 0x08];
        var data = codec.RawData(record);
        if (!data.SequenceEqual(expected))
            return $"data {Convert.ToHexStringLower(data)}";
        return
            other.TryParse(codec.Write(One(record)), out var read)
            && read.Answers is [{ Type: DnsType.Nsec, CacheFlush: true }]
            ? null
            : $"{other.Name} does not read it";
    }

    private static string? Compresses(IDnsCodec codec, IDnsCodec other)
    {
        var length = codec.Write(Answer()).Length;
        // By hand: 12 + 25 + 10 + 9 and so on, with every repeated suffix as a pointer of two bytes.
        const int Bound = 190;
        return length <= Bound ? null : $"{length} bytes, {other.Name} needs {other.Write(Answer()).Length}";
    }

    private static string? RefusesPrefixes(IDnsCodec codec, IDnsCodec other)
    {
        var bytes = other.Write(Answer());
        var accepted = Enumerable
            .Range(0, bytes.Length)
            .Where(length => codec.TryParse(bytes[..length], out _))
            .ToList();
        return accepted.Count == 0 ? null : $"{accepted.Count} of {bytes.Length} prefixes accepted";
    }

    // The split is Galaxy's DnsPacker; the codec decides how long each packet is.
    private static string? Packs(IDnsCodec codec, IDnsCodec other)
    {
        var known = Enumerable
            .Range(0, 100)
            .Select(i => new DnsRecord(Service, DnsType.Ptr, 4500, $"a-node-with-a-name-{i}.{Service}"))
            .ToList();
        var packets = DnsPacker
            .Pack(new DnsMessage { Questions = [new(Service, DnsType.Ptr)], Answers = known })
            .ToList();
        var read = new List<DnsMessage>();
        foreach (var packet in packets)
        {
            if (!codec.TryParse(packet, out var message) || codec.Write(message).Length > MdnsTiming.MaxBytes)
                return "a packet is refused, or is longer when written again";
            if (message.Truncated != (packet != packets[^1]))
                return "the truncated bit is lost";
            read.Add(message);
        }
        var answers = read.SelectMany(message => message.Answers).ToList();
        return answers.Count == known.Count ? null : $"{answers.Count} of {known.Count} answers";
    }

    private static string? SameRawData(IDnsCodec codec, IDnsCodec other)
    {
        var different = Answer()
            .Answers.Where(record => !codec.RawData(record).SequenceEqual(other.RawData(record)))
            .ToList();
        return different.Count == 0 ? null : string.Join(", ", different.Select(record => record.Type));
    }

    private static string Difference(DnsMessage wanted, DnsMessage got)
    {
        var (left, right) = (Text(wanted), Text(got));
        var at = Enumerable
            .Range(0, Math.Min(left.Length, right.Length))
            .FirstOrDefault(i => left[i] != right[i], Math.Min(left.Length, right.Length));
        return $"'{Around(right)}' for '{Around(left)}'";

        string Around(string text) => text[Math.Max(0, Math.Min(at, text.Length) - 4)..Math.Min(text.Length, at + 24)];
    }

    /// <summary>Everything of a message as text that is equal when the messages are.</summary>
    internal static string Text(DnsMessage message)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{message.Id} {message.IsResponse} {message.Authoritative} {message.Truncated} "
        );
        text.Append(
            CultureInfo.InvariantCulture,
            $"{message.RecursionDesired} {message.Opcode} {message.ResponseCode}"
        );
        foreach (var question in message.Questions)
            text.Append(CultureInfo.InvariantCulture, $" ?{question.Name} {(int)question.Type} {question.Unicast}");
        foreach (
            var (section, records) in new[]
            {
                ('!', message.Answers),
                ('~', message.Authorities),
                ('+', message.Additionals),
            }
        )
        {
            foreach (var record in records)
                text.Append(
                    CultureInfo.InvariantCulture,
                    $" {section}{record.Name} {(int)record.Type} {record.Ttl} {record.CacheFlush} {Data(record.Data)}"
                );
        }
        return text.ToString();
    }

    private static string Data(object data) =>
        data switch
        {
            IReadOnlyList<byte[]> strings => string.Join(
                ',',
                strings.Select(text => $"[{Convert.ToHexStringLower(text)}]")
            ),
            byte[] raw => Convert.ToHexStringLower(raw),
            IReadOnlyList<DnsType> types => string.Join(',', types),
            _ => data.ToString() ?? "",
        };
}
