using System.Net;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Core.Tests.Fuzzing;

namespace Galaxy.Core.Tests.Discovery;

/// <summary>
/// The three parsers of discovery and the machines behind them, fed with damaged packets: 20 s each, or
/// <c>GALAXY_FUZZ</c> inputs each. The corpus is in <c>Corpus/*.hex</c>; an input that broke something once belongs
/// there.
/// </summary>
public class FuzzTests(ITestOutputHelper output)
{
    private static readonly IPEndPoint Stranger = new(IPAddress.Parse("10.0.0.9"), 5353);

    private void Report(FuzzReport report)
    {
        output.WriteLine(report.ToString());
        // A fuzzer whose inputs are all refused, or all alike, tries nothing.
        Assert.InRange(report.Understood, report.Inputs / 50, report.Inputs);
        Assert.InRange(report.Shapes, 50, int.MaxValue);
    }

    [Fact]
    public void Multicast_DNS_survives_any_packet()
    {
        var (host, heard, now) = (NewHost(), 0, TimeSpan.Zero);

        Report(
            new Fuzzer(
                Hear,
                Corpus("dns"),
                Words("\u0004", "\u000b_ufo-galaxy\u0004_tcp\u0005local\0", "\u00c0\u000c", "galaxy-b"),
                longest: 9000,
                mostBytes: 16 << 20
            ).Run(1)
        );

        int? Hear(byte[] packet)
        {
            if (!DnsReader.TryParse(packet, out var message))
                return null;
            // What was understood can be said again, and is understood the same way.
            if (message.AllRecords.All(record => record.Data is not byte[]))
                Assert.True(
                    DnsReader.TryParse(DnsWriter.Write(message), out var again)
                        && again.AllRecords.Count() == message.AllRecords.Count()
                );
            if (++heard % 5000 == 0)
                (host, now) = (NewHost(), TimeSpan.Zero);
            now += TimeSpan.FromMilliseconds(7);
            var effects = host.Hear(1, message, Stranger, now);
            if (host.NextTick <= now)
                effects = [.. effects, .. host.Tick(now)];
            foreach (var (_, effect) in effects)
            {
                if (effect is MdnsEffect.Send send)
                    Assert.True(DnsReader.TryParse(send.Packet, out _));
            }
            return HashCode.Combine(
                Size(message.Questions.Count),
                Size(message.Answers.Count),
                Size(message.Authorities.Count),
                Size(message.Additionals.Count),
                message.IsResponse,
                message.Truncated,
                message.AllRecords.Take(3).Aggregate(0, (sum, record) => (sum * 31) + (int)record.Type),
                effects.Count
            );
        }
    }

    [Fact]
    public void SSDP_survives_any_packet()
    {
        var (link, heard, now) = (NewLink(), 0, TimeSpan.Zero);

        Report(
            new Fuzzer(
                Hear,
                Corpus("ssdp"),
                Words(
                    "\r\n",
                    ": ",
                    "MX",
                    "ST",
                    "USN",
                    "NTS",
                    "LOCATION",
                    "ssdp:all",
                    "ssdp:alive",
                    "ssdp:byebye",
                    "http://",
                    "uuid:",
                    SsdpDevice.Type,
                    "999999999999"
                ),
                longest: 4200,
                mostBytes: 1 << 20
            ).Run(2)
        );

        int? Hear(byte[] packet)
        {
            if (!SsdpMessage.TryParse(packet, out var message))
                return null;
            if (++heard % 5000 == 0)
                (link, now) = (NewLink(), TimeSpan.Zero);
            now += TimeSpan.FromMilliseconds(7);
            // The answers to this one alone.
            link.Tick(now);
            var effects = link.Hear(message, packet.Length, Stranger, onLink: true, toGroup: heard % 2 == 0, now)
                .ToList();
            if (effects.Count == 0)
                effects =
                [
                    .. link.Tick(now += TimeSpan.FromSeconds(6))
                        .Where(effect => effect is SsdpEffect.Send { To: not null }),
                ];
            Assert.InRange(
                effects.OfType<SsdpEffect.Send>().Sum(send => send.Packet.Length),
                0,
                packet.Length * SsdpLink.MaxAmplification
            );
            return HashCode.Combine(
                message.IsSearch,
                message.IsNotify,
                Size(message.Headers.Count),
                string.Join(',', effects.Select(Kind))
            );
        }

        static string Kind(SsdpEffect effect) =>
            effect is SsdpEffect.Refused refused ? refused.Reason : effect.GetType().Name;
    }

    [Fact]
    public void The_announcement_survives_any_packet()
    {
        var key = new byte[32];

        Report(
            new Fuzzer(
                Hear,
                Corpus("announcement"),
                Words(
                    "{",
                    "}",
                    "[",
                    "]",
                    "\"",
                    "\\u0000",
                    "\\ud800",
                    "null",
                    "true",
                    "1e999",
                    "-0",
                    "\"node_id\":",
                    "\"metadata\":{",
                    "\"capabilities\":[",
                    Announcement.DiscoverWord,
                    Announcement.ResponseWord
                ),
                longest: 1300,
                mostBytes: 1 << 20
            ).Run(3)
        );

        int? Hear(byte[] packet)
        {
            if (!Announcement.TryParse(packet, out var heard))
                return null;
            // Nobody has signed that by chance; and what is believed can be said again, unless it would be too long
            // with what we add.
            Assert.False(heard.IsSignedWith(key));
            try
            {
                Assert.True(Announcement.TryParse(heard.Sign(key).ToBytes(), out var again) && again.IsSignedWith(key));
            }
            catch (InvalidOperationException tooLong)
                when (tooLong.Message.Contains("are allowed", StringComparison.Ordinal))
            {
                return 1;
            }
            return HashCode.Combine(
                heard.Kind,
                heard.NodeId.Length,
                heard.Capabilities.Count,
                heard.Metadata.Count,
                heard.Port > 0,
                heard.Url.Length > 0,
                heard.Nonce.Length > 0,
                heard.Answers.Length > 0
            );
        }
    }

    private static IReadOnlyList<byte[]> Corpus(string name) =>
        Fuzzer.Read(Path.Combine(AppContext.BaseDirectory, "Discovery", "Corpus", name + ".hex"));

    [Fact]
    public void The_fuzzer_finds_a_bug_that_takes_several_steps()
    {
        // Only a response with a cut-off second record and a pointer in its name breaks it.
        var failure = Assert.Throws<InvalidOperationException>(() =>
            new Fuzzer(Buggy, Corpus("dns"), Words("\u00c0\u000c"), longest: 9000, mostBytes: 16 << 20).Run(6)
        );

        Assert.Contains("planted", failure.InnerException!.Message, StringComparison.Ordinal);

        static int? Buggy(byte[] packet)
        {
            if (DnsReader.TryParse(packet, out var message))
                return (message.Answers.Count * 2) + (message.IsResponse ? 1 : 0);
            if (packet.Length > 40 && packet[2] == 0x84 && packet[7] == 2 && packet[^1] == 0x0C && packet[^2] == 0xC0)
                throw new FormatException("planted");
            return null;
        }
    }

    private static int Size(int count) => count < 4 ? count : int.Log2(count) + 2;

    private static IReadOnlyList<byte[]> Words(params string[] words) => [.. words.Select(Encoding.Latin1.GetBytes)];

    private static MdnsHost NewHost()
    {
        var host = new MdnsHost(new Random(4));
        host.Publish(
            1,
            [new MdnsService("a", "galaxy-a", 8071, [new("node_id", "a"), new("cluster", "c")])],
            [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fe80::1")],
            TimeSpan.Zero
        );
        for (var now = TimeSpan.Zero; now < TimeSpan.FromSeconds(3); now += TimeSpan.FromMilliseconds(10))
            host.Tick(now);
        return host;
    }

    private static SsdpLink NewLink()
    {
        var link = new SsdpLink(IPAddress.Parse("10.0.0.1"), 8037, 1, "Linux UPnP/1.1 Galaxy/1", new Random(5));
        link.Publish(
            [new SsdpDevice(Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100"), "/description/a.xml", 7)],
            TimeSpan.Zero
        );
        return link;
    }
}
