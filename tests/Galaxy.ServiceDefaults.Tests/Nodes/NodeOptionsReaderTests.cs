using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Tests.Nodes;

public class NodeOptionsReaderTests
{
    private static NodeOptions Read(params (string Key, string Value)[] settings) =>
        NodeOptionsReader.Read(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
                .Build()
        );

    [Fact]
    public void Without_settings_a_node_is_a_coordinator_called_like_its_host()
    {
        var node = Read();

        Assert.Equal((Environment.MachineName, NodeRole.Coordinator, "galaxy"), (node.NodeId, node.Role, node.Cluster));
        Assert.Equal(
            (true, true, true, 37021),
            (node.MdnsEnabled, node.UpnpEnabled, node.BroadcastEnabled, node.BroadcastPort)
        );
    }

    [Fact]
    public void Names_of_settings_do_not_depend_on_case() => Assert.Equal("n1", Read(("GALAXY_NODE_ID", "n1")).NodeId);

    [Theory]
    [InlineData("Galaxy_NODE_ROLE", "coordinater", "coordinator, standby, worker")]
    [InlineData("FAILOVER_MODE", "both", "active-passive, multi-master")]
    [InlineData("Galaxy_NODE_ID", "no spaces please", "letters, digits")]
    [InlineData("NODE71_BROADCAST_PORT", "0", "1 to 65535")]
    [InlineData("NODE71_BROADCAST_PORT", "many", "1 to 65535")]
    [InlineData("NODE71_MDNS_ENABLED", "maybe", "true, false")]
    [InlineData("MASTER_URL", "somewhere", "ws://host:8765")]
    [InlineData("GALAXY_LEASE", "fast", "local, lan, wan")]
    [InlineData("Galaxy_SEEDS", "bad host:99999", "host:9071")]
    [InlineData("Galaxy_SEEDS", "ftp://host", "host:9071")]
    public void A_value_that_is_not_understood_is_named_with_what_is_allowed(string key, string value, string allowed)
    {
        var failure = Assert.Throws<SettingException>(() => Read((key, value)));

        Assert.Contains(key, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"'{value}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_too_short_is_refused_without_being_shown()
    {
        var failure = Assert.Throws<SettingException>(() => Read(("GALAXY_API_KEY", "secret")));

        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }
}
