using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Ssdp;

namespace Galaxy.Core.Tests.Discovery;

public class AnnouncementTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static Announcement Sample =>
        new(AnnouncementKind.Response, "node-1", 1_700_000_000.25)
        {
            Name = "Node 1",
            DeviceType = "server",
            Port = 8071,
            Role = "coordinator",
            Cluster = "galaxy",
            Url = "http://192.168.1.2:8071",
            Capabilities = ["tasks", "models"],
            Metadata = new Dictionary<string, string> { ["boot"] = "b1" },
            Nonce = "n1",
        };

    private static bool Parse(string text, out Announcement? announcement) =>
        Announcement.TryParse(Encoding.UTF8.GetBytes(text), out announcement);

    [Fact]
    public void What_is_sent_is_understood()
    {
        Assert.True(Announcement.TryParse(Sample.ToBytes(), out var read));

        Assert.Equal(
            (Sample.Kind, Sample.NodeId, Sample.Port, Sample.Url),
            (read.Kind, read.NodeId, read.Port, read.Url)
        );
        Assert.Equal(Sample.Capabilities, read.Capabilities);
        Assert.Equal("b1", read.Metadata["boot"]);
    }

    [Fact]
    public void The_bare_json_of_the_prototype_is_understood()
    {
        Assert.True(
            Parse(
                """{"type": "UFO_GALAXY_DISCOVER", "node_id": "Node_71", "timestamp": 1700000000.1,"""
                    + """ "capabilities": ["a"]}""",
                out var read
            )
        );

        Assert.Equal((AnnouncementKind.Discover, "Node_71"), (read!.Kind, read.NodeId));
        Assert.Equal(["a"], read.Capabilities);
    }

    [Theory]
    [InlineData("")]
    [InlineData("UFO_GALAXY_DISCOVER")]
    [InlineData("UFO_GALAXY_DISCOVER {")]
    [InlineData("UFO_GALAXY_DISCOVER []")]
    [InlineData("UFO_GALAXY_DISCOVER {}")]
    [InlineData("SOMETHING_ELSE {\"node_id\":\"a\"}")]
    [InlineData("{\"node_id\":\"a\"}")]
    [InlineData("{\"type\":\"UFO_GALAXY_DISCOVER\",\"node_id\":7}")]
    [InlineData("{\"type\":\"UFO_GALAXY_DISCOVER\",\"node_id\":\"a\",\"node_id\":\"b\"}")]
    public void What_is_not_an_announcement_is_refused_without_an_exception(string text) =>
        Assert.False(Parse(text, out _));

    [Fact]
    public void Anything_over_the_limit_is_refused() =>
        Assert.False(
            Parse(
                "UFO_GALAXY_DISCOVER {\"node_id\":\"a\",\"name\":\"" + new string('x', Announcement.MaxBytes) + "\"}",
                out _
            )
        );

    [Fact]
    public void Too_large_an_announcement_is_not_sent() =>
        Assert.Throws<InvalidOperationException>(() =>
            (Sample with { Name = new string('x', Announcement.MaxBytes) }).ToBytes()
        );

    [Fact]
    public void A_signature_survives_the_wire()
    {
        Assert.True(Announcement.TryParse(Sample.Sign(Key).ToBytes(), out var read));

        Assert.True(read.IsSignedWith(Key));
        Assert.False(read.IsSignedWith(new byte[32]));
    }

    [Fact]
    public void Every_field_that_matters_is_covered_by_the_signature()
    {
        var signed = Sample.Sign(Key);
        Announcement[] forged =
        [
            signed with
            {
                Kind = AnnouncementKind.Discover,
            },
            signed with
            {
                NodeId = "node-2",
            },
            signed with
            {
                TimestampUnix = 1,
            },
            signed with
            {
                Port = 1,
            },
            signed with
            {
                Role = "standby",
            },
            signed with
            {
                Cluster = "other",
            },
            signed with
            {
                Url = "http://evil",
            },
            signed with
            {
                Capabilities = ["tasks"],
            },
            signed with
            {
                Nonce = "n2",
            },
            signed with
            {
                Name = "Node 2",
            },
            signed with
            {
                DeviceType = "phone",
            },
            signed with
            {
                Metadata = new Dictionary<string, string> { ["boot"] = "b2" },
            },
        ];

        Assert.All(forged, announcement => Assert.False(announcement.IsSignedWith(Key)));
    }

    [Fact]
    public void An_ssdp_search_of_the_prototype_is_understood()
    {
        var text =
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: "
            + "urn:ufo-galaxy:device:node:1\r\n\r\n";

        Assert.True(SsdpMessage.TryParse(Encoding.ASCII.GetBytes(text), out var message));

        Assert.True(message.IsSearch);
        Assert.Equal("3", message["mx"]);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("M-SEARCH * HTTP/1.1\r\nno colon\r\n\r\n")]
    [InlineData("")]
    public void What_is_not_ssdp_is_refused_without_an_exception(string text) =>
        Assert.False(SsdpMessage.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
