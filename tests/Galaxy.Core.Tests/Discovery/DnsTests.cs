using System.Net;
using Galaxy.Core.Discovery;

namespace Galaxy.Core.Tests.Discovery;

public class DnsTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        var message = new DnsMessage
        {
            Id = 7,
            IsResponse = true,
            Authoritative = true,
            Questions = [new DnsQuestion(ServiceTxt.ServiceType, DnsType.Ptr, Unicast: true)],
            Answers =
            [
                new DnsRecord(ServiceTxt.ServiceType, DnsType.Ptr, 4500, "node." + ServiceTxt.ServiceType),
                new DnsRecord(
                    "node." + ServiceTxt.ServiceType,
                    DnsType.Srv,
                    120,
                    new DnsSrv(0, 0, 8071, "node.local."),
                    CacheFlush: true
                ),
            ],
            Additionals =
            [
                new DnsRecord("node.local.", DnsType.A, 120, IPAddress.Parse("192.168.1.7"), CacheFlush: true),
                new DnsRecord("node.local.", DnsType.Aaaa, 120, IPAddress.Parse("fe80::1"), CacheFlush: true),
            ],
        };

        Assert.True(DnsReader.TryParse(DnsWriter.Write(message), out var read));

        Assert.Equal(
            (message.Id, message.IsResponse, message.Authoritative),
            (read.Id, read.IsResponse, read.Authoritative)
        );
        Assert.Equal(message.Questions, read.Questions);
        Assert.Equal(message.Answers, read.Answers);
        Assert.Equal(message.Additionals, read.Additionals);
    }

    [Fact]
    public void A_query_of_another_program_is_understood()
    {
        // Bytes of a PTR question for _ufo-galaxy._tcp.local with the QU bit, written out by hand from RFC 1035,
        // section 4.1.
        byte[] query =
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
            11,
            .. "_ufo-galaxy"u8,
            4,
            .. "_tcp"u8,
            5,
            .. "local"u8,
            0,
            0,
            12,
            0x80,
            1,
        ];

        Assert.True(DnsReader.TryParse(query, out var message));

        Assert.Equal(
            new DnsQuestion(ServiceTxt.ServiceType, DnsType.Ptr, Unicast: true),
            Assert.Single(message.Questions)
        );
    }

    [Fact]
    public void Names_are_compressed_and_uncompressed()
    {
        var record = new DnsRecord("a.very-long-name-indeed.local.", DnsType.Ptr, 1, "b.very-long-name-indeed.local.");

        var bytes = DnsWriter.Write(new DnsMessage { IsResponse = true, Answers = [record, record, record] });

        Assert.True(bytes.Length < 12 + 32 + 3 * 20, $"{bytes.Length} bytes");
        Assert.True(DnsReader.TryParse(bytes, out var read));
        Assert.All(read.Answers, answer => Assert.Equal(record, answer));
    }

    [Fact]
    public void A_dot_within_a_label_survives()
    {
        var record = new DnsRecord(@"My\.Node." + ServiceTxt.ServiceType, DnsType.Ptr, 1, "x.local.");

        Assert.True(DnsReader.TryParse(DnsWriter.Write(new DnsMessage { Answers = [record] }), out var read));

        Assert.Equal(record, Assert.Single(read.Answers));
    }

    [Fact]
    public void Names_that_differ_in_case_keep_their_case()
    {
        var record = new DnsRecord("Node.local.", DnsType.Ptr, 1, "node.LOCAL.");

        Assert.True(DnsReader.TryParse(DnsWriter.Write(new DnsMessage { Answers = [record] }), out var read));

        Assert.Equal(record, Assert.Single(read.Answers));
    }

    [Theory]
    [InlineData('x')]
    [InlineData('\u0436')]
    public void A_name_of_255_bytes_is_written_and_read_and_a_longer_one_is_neither(char letter)
    {
        var lettersOfLabel = 62 / System.Text.Encoding.UTF8.GetByteCount([letter]);
        // Four labels of 1 + 62 bytes, one of 1 + 1, and the root's 1.
        var name = string.Concat(Enumerable.Repeat(new string(letter, lettersOfLabel) + ".", 4)) + "x.";
        var question = new DnsQuestion(name, DnsType.Ptr);

        var bytes = DnsWriter.Write(new DnsMessage { Questions = [question] });

        Assert.True(DnsReader.TryParse(bytes, out var read));
        Assert.Equal(question, Assert.Single(read.Questions));
        Assert.False(DnsReader.TryParse([.. bytes[..12], 63, (byte)'y', .. bytes[13..]], out _));
        Assert.Throws<ArgumentException>(() =>
            DnsWriter.Write(new DnsMessage { Questions = [new DnsQuestion("y" + name, DnsType.Ptr)] })
        );
    }

    [Fact]
    public void A_compression_pointer_to_itself_is_refused()
    {
        byte[] loop = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 12, 0, 1];

        Assert.False(DnsReader.TryParse(loop, out _));
    }

    [Fact]
    public void Every_prefix_of_a_message_is_refused_or_read_but_never_throws()
    {
        var bytes = DnsWriter.Write(
            new DnsMessage
            {
                Answers =
                [
                    new DnsRecord("n.local.", DnsType.Txt, 1, ServiceTxt.Write([new("k", "v")])),
                    new DnsRecord("n.local.", DnsType.Srv, 1, new DnsSrv(1, 2, 3, "h.local.")),
                ],
            }
        );

        for (var length = 0; length < bytes.Length; length++)
            Assert.False(
                DnsReader.TryParse(bytes.AsSpan(0, length), out _),
                $"{length} of {bytes.Length} bytes were taken for a message"
            );
    }

    [Fact]
    public void Damaged_messages_never_throw()
    {
        var random = new Random(1);
        var good = DnsWriter.Write(
            new DnsMessage
            {
                Questions = [new DnsQuestion("q.local.", DnsType.Any)],
                Answers =
                [
                    new DnsRecord("n.local.", DnsType.Txt, 1, ServiceTxt.Write([new("k", "v")])),
                    new DnsRecord("n.local.", DnsType.Ptr, 1, "h.local."),
                ],
            }
        );
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = good.ToArray();
            for (var flips = random.Next(1, 5); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (DnsReader.TryParse(bytes, out var read))
                Assert.True(read.AllRecords.Count() <= 256);
        }
    }

    [Fact]
    public void Txt_pairs_follow_rfc_6763()
    {
        var pairs = ServiceTxt.Read([
            .. ServiceTxt.Write([new("node", "a"), new("empty", "")]),
            "flag"u8.ToArray(),
            "=nokey"u8.ToArray(),
            "NODE=second"u8.ToArray(),
        ]);

        Assert.Equal("a", pairs["Node"]);
        Assert.Equal("", pairs["empty"]);
        Assert.Equal("", pairs["flag"]);
        Assert.Equal(3, pairs.Count);
    }
}
