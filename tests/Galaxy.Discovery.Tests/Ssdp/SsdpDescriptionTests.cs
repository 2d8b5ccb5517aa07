using System.Text;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Discovery.Tests.Ssdp;

public sealed class SsdpDescriptionTests
{
    private static readonly LocalNode Own = new(
        "pc <1> & \"2\"",
        "coordinator",
        "galaxy",
        "http://10.0.0.1:8071",
        "http://10.0.0.1:9071",
        "1"
    );

    private readonly Trust _trust = new(
        new NodeOptions { NodeId = "a", ApiKey = OneMachine.Key },
        new FakeTimeProvider(DateTimeOffset.UtcNow)
    );

    private static Core.Discovery.Announcement? Read(string document) =>
        SsdpDescription.Read(new MemoryStream(Encoding.UTF8.GetBytes(document)));

    private static string Device(string inside, string type = SsdpDevice.Type) =>
        "<root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>"
        + $"<deviceType>{type}</deviceType>{inside}</device></root>";

    [Fact]
    public void What_is_written_is_read_with_the_readers_nonce_and_trusted()
    {
        var read = Read(SsdpDescription.Write(Own, _trust, "nonce"))!;

        Assert.Equal((Own.NodeId, Own.Url, "nonce"), (read.NodeId, read.Url, read.Answers));
        Assert.Equal(PeerTrust.Trusted, _trust.Judge(read).Trust);
        var changed = Read(
            SsdpDescription
                .Write(Own, _trust, "nonce")
                .Replace("10.0.0.1:9071", "10.6.6.6:9071", StringComparison.Ordinal)
        )!;
        Assert.Equal("wrong key", _trust.Judge(changed).Reason);
    }

    [Fact]
    public void A_device_of_our_type_without_an_announcement_is_known_by_its_name_and_signed_by_nobody()
    {
        var read = Read(Device("<friendlyName> tv </friendlyName><presentationURL>http://tv</presentationURL>"))!;

        Assert.Equal(("tv", "http://tv"), (read.NodeId, read.Url));
        Assert.Equal("unsigned", _trust.Judge(read).Reason);
        Assert.Equal(
            "",
            Read(
                Device(
                    $"<friendlyName>tv</friendlyName><presentationURL>http://{new string('u', 512)}</presentationURL>"
                )
            )!.Url
        );
    }

    public static TheoryData<string> NotOurs =>
        [
            "",
            "<root>",
            "{}",
            Device(""),
            Device($"<friendlyName>{new string('n', 129)}</friendlyName>"),
            Device("<friendlyName>tv</friendlyName>", "urn:schemas-upnp-org:device:MediaRenderer:1"),
            Device("<announcement xmlns=\"urn:schemas-ufo-galaxy:node-1-0\">broken</announcement>"),
            // Entities that grow, or that read a file.
            "<!DOCTYPE root [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>"
                + Device("<friendlyName>&x;</friendlyName>"),
            Device("<friendlyName>tv</friendlyName>" + new string(' ', 64 * 1024)),
        ];

    [Theory]
    [MemberData(nameof(NotOurs))]
    public void What_is_about_something_else_or_harmful_says_nothing(string document) => Assert.Null(Read(document));

    [Fact]
    public void A_node_keeps_its_uuid_as_long_as_its_name_and_another_address_is_another_configuration()
    {
        var moved = Own with { Url = "http://10.0.0.2:8071" };

        Assert.Equal(SsdpDescription.Uuid(Own), SsdpDescription.Uuid(moved));
        Assert.NotEqual(SsdpDescription.Uuid(Own), SsdpDescription.Uuid(Own with { Cluster = "another" }));
        Assert.Equal(8, SsdpDescription.Uuid(Own).Version);
        Assert.NotEqual(SsdpDescription.ConfigId(Own), SsdpDescription.ConfigId(moved));
        Assert.InRange(SsdpDescription.ConfigId(moved), 0, 0xFFFFFF);
    }
}
