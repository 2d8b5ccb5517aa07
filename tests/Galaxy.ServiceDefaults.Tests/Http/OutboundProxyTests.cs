using System.Net;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.ServiceDefaults.Tests.Http;

public class OutboundProxyTests
{
    private static readonly WebProxy System = new("http://proxy.example.com:3128");

    private static bool GoesThrough(string url, string? noProxy = null) =>
        new OutboundProxy(System, noProxy).GetProxy(new Uri(url)) is not null;

    [Theory]
    [InlineData("http://api.example.com/v1")]
    [InlineData("https://api.openai.com/v1")]
    [InlineData("http://8.8.8.8/")]
    [InlineData("http://172.32.0.1/")]
    [InlineData("http://[2001:db8::1]/")]
    [InlineData("ws://api.example.com/")]
    public void An_address_on_the_internet_goes_through_the_proxy(string url) => Assert.True(GoesThrough(url));

    [Theory]
    [InlineData("http://127.0.0.1:11434/v1")]
    [InlineData("http://127.3.2.1/")]
    [InlineData("http://localhost:8080/")]
    [InlineData("http://models.localhost/")]
    [InlineData("http://[::1]:8000/")]
    [InlineData("http://[::ffff:127.0.0.1]:8000/")]
    [InlineData("http://192.168.1.5:8080/v1")]
    [InlineData("http://10.0.0.7/")]
    [InlineData("http://172.16.9.1/")]
    [InlineData("http://100.64.1.1/")]
    [InlineData("http://169.254.1.1/")]
    [InlineData("http://[fd00::5]/")]
    [InlineData("http://[fe80::5]/")]
    [InlineData("http://ollama:11434/")]
    [InlineData("http://nas.local/")]
    [InlineData("http://NAS.LAN/")]
    [InlineData("http://host.docker.internal:11434/")]
    public void This_machine_and_the_local_network_are_asked_directly(string url) => Assert.False(GoesThrough(url));

    [Theory]
    [InlineData("example.com", "https://example.com/", false)]
    [InlineData("example.com", "https://API.Example.com/", false)]
    [InlineData(".example.com", "https://api.example.com/", false)]
    [InlineData("*.example.com", "https://api.example.com/", false)]
    [InlineData("example.com", "https://badexample.com/", true)]
    [InlineData("other.org, example.com", "https://api.example.com/", false)]
    [InlineData("api.example.com:8443", "https://api.example.com:8443/", false)]
    [InlineData("api.example.com:8443", "https://api.example.com/", true)]
    [InlineData("203.0.113.7", "http://203.0.113.7/", false)]
    [InlineData("203.0.113.7:81", "http://203.0.113.7/", true)]
    [InlineData("203.0.113.0/24", "http://203.0.113.99/", false)]
    [InlineData("203.0.113.0/24", "http://203.0.114.99/", true)]
    [InlineData("2001:db8::/32", "http://[2001:db8::1]/", false)]
    [InlineData("2001:db8::1", "http://[2001:db8::1]/", false)]
    [InlineData("*", "https://api.openai.com/", false)]
    [InlineData("", "https://api.openai.com/", true)]
    [InlineData(",", "https://api.openai.com/", true)]
    [InlineData(".", "https://api.openai.com/", true)]
    public void No_proxy_names_hosts_their_subdomains_addresses_and_networks(
        string noProxy,
        string url,
        bool through
    ) => Assert.Equal(through, GoesThrough(url, noProxy));
}
