using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;

namespace Galaxy.ServiceDefaults.Tests.Hosting;

public class ListeningTests
{
    private static ListenAddresses Listen(NodeOptions node, params string[] args) =>
        WebApplication
            .CreateEmptyBuilder(new WebApplicationOptions { Args = args })
            .Listen(node, new ListenPort("HTTP_PORT", 8071), new ListenPort("GRPC_PORT", 9071));

    [Fact]
    public void Without_a_key_only_loopback_is_listened_on() =>
        Assert.Equal("http://127.0.0.1:8071", Listen(new NodeOptions { NodeId = "n" }).Url(0));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("*")]
    [InlineData("192.168.1.2")]
    public void Without_a_key_an_open_address_is_refused_with_the_cure(string bind)
    {
        var failure = Assert.Throws<SettingException>(() => Listen(new NodeOptions { NodeId = "n", Bind = bind }));

        Assert.Contains("GALAXY_API_KEY", failure.Message, StringComparison.Ordinal);
        Assert.Contains("GALAXY_BIND=127.0.0.1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_none_is_named() =>
        Assert.Contains(
            "'here'",
            Assert
                .Throws<SettingException>(() =>
                    Listen(
                        new NodeOptions
                        {
                            NodeId = "n",
                            ApiKey = "long-enough",
                            Bind = "here",
                        }
                    )
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void The_advertised_host_is_what_others_are_told() =>
        Assert.Equal(
            "http://my.host:9071",
            Listen(
                    new NodeOptions
                    {
                        NodeId = "n",
                        ApiKey = "long-enough",
                        Advertise = "my.host",
                    }
                )
                .Url(1)
        );
}
