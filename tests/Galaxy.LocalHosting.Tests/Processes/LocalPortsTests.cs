using System.Net;
using System.Net.Sockets;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.LocalHosting.Tests.Processes;

public sealed class LocalPortsTests
{
    private static PortRequest Request(string process, int? port, string? variable = null) =>
        new(process, "http", port, variable);

    [Fact]
    public void Free_ports_are_different_ones_below_the_range_of_outgoing_connections()
    {
        var ports = LocalPorts.Allocate(Enumerable.Range(0, 50).Select(i => Request($"p{i}", null))).Values.ToList();

        Assert.Equal(50, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(port, 20_000, 32_000));
    }

    [Fact]
    public void Two_who_want_the_same_port_are_both_named()
    {
        var refused = Assert.Throws<PortTakenException>(() =>
            LocalPorts.Allocate([Request("gateway", 1234, "API_PORT"), Request("router", 1234)])
        );

        Assert.StartsWith("API_PORT and 'http' of 'router' are all 1234.", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0.0.0.0")]
    public void A_port_that_is_taken_is_named_with_its_owner_and_the_cure(string by)
    {
        Assert.SkipUnless(by != "::1" || Socket.OSSupportsIPv6, "There is no IPv6 here.");
        using var owner = new TcpListener(IPAddress.Parse(by), 0);
        owner.Start();
        var port = ((IPEndPoint)owner.LocalEndpoint).Port;

        var named = Assert.Throws<PortTakenException>(() =>
            LocalPorts.Allocate([Request("gateway", port, "API_PORT")])
        );
        var unnamed = Assert.Throws<PortTakenException>(() => LocalPorts.Allocate([Request("router", port)]));

        Assert.Contains($"{port}", named.Message, StringComparison.Ordinal);
        if (!OperatingSystem.IsLinux())
            return;
        Assert.EndsWith($"(process {Environment.ProcessId})", PortOwner.Find(port), StringComparison.Ordinal);
        // This program is called Galaxy, too, so that the cure is to stop it.
        Assert.Contains($"(process {Environment.ProcessId})", unnamed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_held_when_the_ports_are_given_out()
    {
        var port = LocalPorts.Allocate([Request("a", null)]).Values.Single();

        Assert.Equal([port], LocalPorts.Allocate([Request("a", port)]).Values);
    }
}
