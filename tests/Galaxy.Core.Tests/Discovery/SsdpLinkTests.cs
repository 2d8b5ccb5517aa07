using System.Net;
using System.Text;
using Galaxy.Core.Discovery.Ssdp;

namespace Galaxy.Core.Tests.Discovery;

public class SsdpLinkTests
{
    private const string PrototypeSearch =
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: "
        + "urn:schemas-ufo-galaxy:device:Coordinator:1\r\n\r\n";

    private static readonly IPEndPoint Asker = new(IPAddress.Parse("192.168.100.20"), 40000);
    private readonly SsdpLink _link = new(
        IPAddress.Parse("192.168.100.10"),
        8037,
        1_795_588_611,
        "Linux UPnP/1.1 Galaxy/1",
        new Random(3)
    );

    public SsdpLinkTests() =>
        _link.Publish(
            [
                new SsdpDevice(Guid.NewGuid(), "/description/01234567.xml", 1),
                new SsdpDevice(Guid.NewGuid(), "/description/89abcdef.xml", 1),
            ],
            TimeSpan.Zero
        );

    private List<SsdpEffect.Send> Ask(string search, bool onLink = true, bool toGroup = true)
    {
        Assert.True(SsdpMessage.TryParse(Encoding.ASCII.GetBytes(search), out var message));
        var now = TimeSpan.FromSeconds(10);
        _link.Tick(now);
        _link.Tick(now + TimeSpan.FromSeconds(1));
        var effects = _link.Hear(message, search.Length, Asker, onLink, toGroup, now).ToList();
        effects.AddRange(_link.Tick(now + TimeSpan.FromSeconds(5)));
        return [.. effects.OfType<SsdpEffect.Send>().Where(send => send.To is not null)];
    }

    [Theory]
    [InlineData("ssdp:all")]
    [InlineData("upnp:rootdevice")]
    [InlineData("urn:schemas-ufo-galaxy:device:Coordinator:1")]
    public void A_search_is_answered_to_the_asker_with_at_most_three_times_its_bytes(string target)
    {
        var search = PrototypeSearch.Replace(SsdpDevice.Type, target, StringComparison.Ordinal);

        var answers = Ask(search);

        Assert.NotEmpty(answers);
        Assert.All(answers, answer => Assert.Equal(Asker, answer.To));
        Assert.True(answers.Sum(answer => answer.Packet.Length) <= 3 * search.Length);
        Assert.True(SsdpMessage.TryParse(answers[0].Packet, out var read));
        Assert.StartsWith("http://192.168.100.10:8037/description/", read["LOCATION"], StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_off_the_subnet_is_answered() => Assert.Empty(Ask(PrototypeSearch, onLink: false));

    [Fact]
    public void A_search_of_everybody_without_a_delay_is_not_answered() =>
        Assert.Empty(Ask(PrototypeSearch.Replace("MX: 3\r\n", "", StringComparison.Ordinal)));

    [Fact]
    public void A_search_for_something_else_is_not_answered() =>
        Assert.Empty(Ask(PrototypeSearch.Replace("Coordinator", "Printer", StringComparison.Ordinal)));

    [Fact]
    public void Two_nodes_of_a_host_take_turns() =>
        Assert.Equal(
            2,
            Enumerable
                .Range(0, 4)
                .SelectMany(_ => Ask(PrototypeSearch))
                .Select(answer => Encoding.ASCII.GetString(answer.Packet))
                .Select(text => text[text.IndexOf("uuid:", StringComparison.Ordinal)..][..41])
                .Distinct()
                .Count()
        );

    [Theory]
    [InlineData("uuid::urn:schemas-ufo-galaxy:device:Coordinator:1")]
    [InlineData("uuid:::urn:schemas-ufo-galaxy:device:Coordinator:1")]
    [InlineData("uuid:urn:schemas-ufo-galaxy:device:Coordinator:1")]
    [InlineData("uuid:")]
    [InlineData("")]
    public void A_name_without_a_uuid_is_nobodys(string usn) => Assert.Null(SsdpDevice.ReadUsn(usn));
}
