using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Tests.Description;

/// <summary>The command line of the AppHost.</summary>
public sealed class SystemOptionsTests
{
    [Fact]
    public void Without_options_there_are_three_coordinators_and_the_embedded_store()
    {
        var options = SystemOptionsParser.Parse([]);

        Assert.Equal(3, options.Layout.Coordinators.Count);
        Assert.Equal(StoreKind.Embedded, options.Store.Kind);
        Assert.Equal(["worker-1", "worker-2"], options.Layout.Workers);
        Assert.Equal(8080, options.Port(GalaxyServices.Gateway.Endpoints[0]));
    }

    [Theory]
    [InlineData("cloud", 1)]
    [InlineData("active-passive", 2)]
    [InlineData("multi-master", 3)]
    public void Each_scenario_has_its_coordinators(string scenario, int coordinators) =>
        Assert.Equal(coordinators, SystemOptionsParser.Parse(["--scenario", scenario]).Layout.Coordinators.Count);

    [Theory]
    [InlineData("1", "redis")]
    [InlineData("3", "redis redis-2 redis-3")]
    [InlineData("5", "redis redis-2 redis-3 redis-4 redis-5")]
    public void The_stores_are_numbered(string count, string names) =>
        Assert.Equal(names.Split(' '), SystemOptionsParser.Parse([$"--stores={count}"]).Layout.Stores);

    [Fact]
    public void A_setting_reaches_every_service_unless_it_is_of_the_system()
    {
        var options = SystemOptionsParser.Parse([
            "--node71_mdns_enabled",
            "false",
            "--API_PORT",
            "9000",
            "--GALAXY_DATA",
            "/tmp/x",
        ]);

        Assert.Equal([KeyValuePair.Create("NODE71_MDNS_ENABLED", "false")], options.ServiceSettings);
        Assert.Equal(9000, options.Port(GalaxyServices.Gateway.Endpoints[1]));
    }

    [Fact]
    public void A_free_port_can_be_asked_for_one_endpoint_or_for_all()
    {
        Assert.Null(SystemOptionsParser.Parse(["--API_PORT", "0"]).Port(GalaxyServices.Gateway.Endpoints[1]));
        Assert.All(GalaxyServices.Gateway.Endpoints, endpoint =>
            Assert.Null(SystemOptionsParser.Parse(["--ports", "any"]).Port(endpoint))
        );
    }

    [Fact]
    public void What_is_meant_for_the_host_is_passed_on() =>
        Assert.Equal(
            ["--operation", "publish", "--publisher", "manifest", "--Logging:LogLevel:Default", "Debug"],
            SystemOptionsParser
                .Parse(["--operation", "publish", "--publisher", "manifest", "--Logging:LogLevel:Default=Debug"])
                .HostArguments
        );

    [Theory]
    [InlineData("--scenaro", "Did you mean --scenario?")]
    [InlineData("--API_PROT", "Did you mean --API_PORT?")]
    [InlineData("--xyzzyxyzzyxyzzy", "--help lists the options")]
    [InlineData("cloud", "'cloud' is not an option")]
    public void A_typing_error_is_answered_with_the_nearest_option(string option, string says) =>
        Assert.Contains(
            says,
            Assert.Throws<SystemOptionException>(() => SystemOptionsParser.Parse([option, "x"])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Every_setting_that_is_passed_on_is_in_the_documents()
    {
        var operations = File.ReadAllText(
            Path.Combine(Repository.FindAbove(AppContext.BaseDirectory)!, "docs", "operations.md")
        );
        var models = File.ReadAllText(
            Path.Combine(Repository.FindAbove(AppContext.BaseDirectory)!, "docs", "protocols", "models.md")
        );

        Assert.All(KnownSettings.All, setting =>
            Assert.True(
                operations.Contains(setting, StringComparison.Ordinal)
                    || models.Contains(setting, StringComparison.Ordinal),
                setting
            )
        );
    }
}
