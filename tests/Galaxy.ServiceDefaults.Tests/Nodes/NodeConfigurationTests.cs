using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Tests.Nodes;

public sealed class NodeConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("galaxy-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private NodeOptions Read(Dictionary<string, string?>? environment = null, params string[] args)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(environment);
        configuration.AddCommandLine(args);
        configuration.AddNodeFiles(_folder);
        return NodeOptionsReader.Read(configuration);
    }

    [Fact]
    public void The_command_line_wins_over_the_environment_over_the_env_file_over_the_json_file()
    {
        Write(
            "config.json",
            """{"node_id": "from-json", "role": "standby", "discovery": {"mdns_enabled": false,"""
                + """ "broadcast_port": 4000}}"""
        );
        Write(".env", "Galaxy_NODE_ID=from-env-file\nNODE71_BROADCAST_PORT=4001\nGalaxy_CLUSTER=home\n");

        var node = Read(
            new() { ["Galaxy_CLUSTER"] = "from-environment", ["NODE71_BROADCAST_PORT"] = "4002" },
            "--NODE71_BROADCAST_PORT",
            "4003"
        );

        Assert.Equal(4003, node.BroadcastPort);
        Assert.Equal("from-environment", node.Cluster);
        Assert.Equal("from-env-file", node.NodeId);
        Assert.Equal((NodeRole.Standby, false), (node.Role, node.MdnsEnabled));
    }

    [Fact]
    public void The_reports_config_json_is_understood()
    {
        Write(
            "config.json",
            """
            {"node_id": "node_1", "role": "coordinator",
             "discovery": {"mdns_enabled": true, "upnp_enabled": false, "broadcast_enabled": true},
             "failover": {"primary": "node_1", "secondaries": ["node_2", "node_3"]}}
            """
        );

        var node = Read();

        Assert.False(node.UpnpEnabled);
        Assert.Equal("node_1", node.FailoverPrimary);
        Assert.Equal(["node_2", "node_3"], node.FailoverSecondaries);
    }

    [Fact]
    public void A_secret_may_be_in_a_file_and_what_is_said_outright_counts_more()
    {
        Write("secret", "gx-from-a-file-1234\n");
        var file = Path.Combine(_folder, "secret");

        Assert.Equal("gx-from-a-file-1234", Read(new() { ["GALAXY_API_KEY_FILE"] = file }).ApiKey);
        Assert.Equal(
            "gx-said-outright",
            Read(new() { ["GALAXY_API_KEY_FILE"] = file, ["GALAXY_API_KEY"] = "gx-said-outright" }).ApiKey
        );
        Assert.Contains(
            "GALAXY_API_KEY_FILE",
            Assert
                .Throws<SettingException>(() => Read(new() { ["GALAXY_API_KEY_FILE"] = file + "-that-is-not-there" }))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Several_masters_and_the_primary_of_a_standby_are_understood()
    {
        var node = Read(
            new() { ["MASTER_URL"] = "ws://home:8765, ws://cloud:8765", ["PRIMARY_URL"] = "ws://local-pc:8765" }
        );
        Assert.Equal(["ws://home:8765/", "ws://cloud:8765/"], node.MasterUrls.Select(url => url.ToString()));
        Assert.Equal(["local-pc:9071"], node.Seeds);
        Assert.Equal(
            ["other:9999"],
            Read(new() { ["PRIMARY_URL"] = "ws://local-pc:8765", ["Galaxy_SEEDS"] = "other:9999" }).Seeds
        );
        Assert.Contains(
            "ftp://x",
            Assert.Throws<SettingException>(() => Read(new() { ["MASTER_URL"] = "ws://a:1,ftp://x" })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_key_of_config_json_that_nothing_reads_is_an_error()
    {
        Write("config.json", """{"node_id": "a", "rolle": "standby"}""");

        Assert.Contains("rolle", Assert.Throws<SettingException>(() => Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_json_that_is_not_json_is_named()
    {
        Write("config.json", "{node_id}");

        Assert.Contains("config.json", Assert.Throws<SettingException>(() => Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_env_file_may_have_comments_quotes_and_exports()
    {
        Write(".env", "# a comment\nexport Galaxy_NODE_ID=\"quoted\"\n\nGalaxy_CLUSTER='single'\nnot a setting\n");

        var node = Read();

        Assert.Equal(("quoted", "single"), (node.NodeId, node.Cluster));
    }
}
