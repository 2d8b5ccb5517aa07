using System.Net;
using System.Net.Sockets;
using Galaxy.Discovery.Links;

namespace Galaxy.Discovery.Tests.Links;

public sealed class LinkTests
{
    private static LinkAddress Address(string text) =>
        new(
            IPAddress.Parse(text.Split('/')[0]),
            int.Parse(text.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture)
        );

    private static Link Of(params string[] addresses) =>
        new(
            3,
            "wire",
            addresses[0].Contains(':', StringComparison.Ordinal)
                ? AddressFamily.InterNetworkV6
                : AddressFamily.InterNetwork,
            [.. addresses.Select(Address)],
            []
        );

    [Theory]
    [InlineData("10.1.16.1/20", "10.1.31.255", true)]
    [InlineData("10.1.16.1/20", "10.1.32.0", false)]
    [InlineData("10.1.16.1/32", "10.1.16.1", true)]
    [InlineData("10.1.16.1/32", "10.1.16.0", false)]
    [InlineData("10.1.16.1/0", "192.0.2.1", true)]
    [InlineData("10.1.16.1/8", "::ffff:10.1.16.2", false)]
    [InlineData("2001:db8::1/64", "2001:db8::ffff:1", true)]
    [InlineData("2001:db8::1/64", "2001:db8:0:1::1", false)]
    public void A_neighbour_begins_with_the_same_bits(string own, string other, bool isNeighbour) =>
        Assert.Equal(isNeighbour, Of(own).Contains(IPAddress.Parse(other)));

    [Fact]
    public void A_link_local_address_is_a_neighbours_in_ipv6_whatever_the_prefix()
    {
        Assert.True(Of("2001:db8::1/64").Contains(IPAddress.Parse("fe80::1")));
        Assert.False(Of("10.0.0.1/24").Contains(IPAddress.Parse("fe80::1")));
    }

    [Theory]
    [InlineData("10.1.16.1/20", "10.1.31.255")]
    [InlineData("192.168.1.77/30", "192.168.1.79")]
    [InlineData("10.0.0.1/31", "")]
    [InlineData("10.0.0.1/32", "")]
    [InlineData("2001:db8::1/64", "")]
    public void Everybody_of_a_network_is_reached_by_its_last_address(string own, string broadcast) =>
        Assert.Equal(broadcast, string.Join(' ', Of(own).Broadcasts));

    [Fact]
    public void Links_are_equal_until_something_about_them_changes()
    {
        Assert.Equal(Of("10.0.0.1/24"), Of("10.0.0.1/24"));
        Assert.NotEqual(Of("10.0.0.1/24"), Of("10.0.0.1/25"));
        Assert.NotEqual(Of("10.0.0.1/24"), Of("10.0.0.1/24", "10.0.1.1/24"));
        Assert.NotEqual(Of("10.0.0.1/24"), Of("10.0.0.1/24") with { All = [IPAddress.Parse("fe80::1")] });
        Assert.NotEqual(Of("10.0.0.1/24").Id, Of("fe80::1/64").Id);
    }
}
