using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Tests.Description;

/// <summary>The description of the services agrees with itself.</summary>
public sealed class GalaxyServicesTests
{
    [Fact]
    public void Nobody_waits_for_or_refers_to_a_kind_or_an_endpoint_that_does_not_exist()
    {
        var kinds = GalaxyServices.All.ToDictionary(kind => kind.Name);

        Assert.All(GalaxyServices.All, kind => Assert.All(kind.WaitsFor, name => Assert.Contains(name, kinds)));
        Assert.All(GalaxyServices.All.SelectMany(kind => kind.References), reference =>
            Assert.Contains(kinds[reference.Kind].Endpoints, endpoint =>
                reference.Endpoint is null || endpoint.Name == reference.Endpoint
            )
        );
    }

    [Fact]
    public void Nobody_waits_for_who_waits_for_it()
    {
        var kinds = GalaxyServices.All.ToDictionary(kind => kind.Name);
        IEnumerable<string> Before(string name) => kinds[name].WaitsFor.SelectMany(Before).Append(name);

        // A circle would not end.
        Assert.All(GalaxyServices.All, kind => Assert.DoesNotContain(kind.Name, kind.WaitsFor.SelectMany(Before)));
    }

    [Fact]
    public void All_of_them_fit_on_one_machine()
    {
        var ports = GalaxyServices.All.SelectMany(kind => kind.Endpoints).Select(endpoint => endpoint.Port).ToList();

        Assert.Equal(ports.Count, ports.Distinct().Count());
        // Every endpoint but the first must be told by a setting of its own: there is one ASPNETCORE_URLS.
        Assert.All(GalaxyServices.All, kind =>
            Assert.All(kind.Endpoints.Skip(1), endpoint => Assert.NotNull(endpoint.Variable))
        );
    }

    [Fact]
    public void Each_node_has_a_folder_of_its_own_and_coordinators_have_roles()
    {
        var layout = SystemLayout.Of("active-passive", 1, withWorkers: true);
        Dictionary<string, string> Of(ServiceKind kind, string name) =>
            ServiceEnvironment.InDevelopment(kind, name, "/data", layout).ToDictionary();

        var standby = Of(GalaxyServices.Coordinator, "coordinator-cloud");
        Assert.Equal(("standby", "coordinator-local"), (standby["Galaxy_NODE_ROLE"], standby["FAILOVER_PRIMARY"]));
        Assert.Equal(Path.Combine("/data", "nodes", "coordinator-cloud"), standby["GALAXY_DATA"]);
        Assert.DoesNotContain("FAILOVER_MODE", Of(GalaxyServices.Router, "router-a").Keys);
        Assert.Empty(Of(GalaxyServices.Store, "redis"));
    }

    [Theory]
    [InlineData("redis.example.org:6379")]
    [InlineData("[::1]:6379")]
    [InlineData("10.0.0.1:6379,password=x/y")]
    public void A_store_that_runs_already_is_an_address(string text) =>
        Assert.Equal(new StoreChoice(StoreKind.Address, text), StoreChoice.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("Embedded")]
    [InlineData("redis.example.org")]
    [InlineData("redis.example.org:0")]
    [InlineData("redis.example.org:65536")]
    [InlineData("::1:6379")]
    [InlineData("me@redis:6379")]
    [InlineData("redis:6379/1")]
    [InlineData("redis:6379, redis:6380")]
    public void What_is_neither_a_kind_of_store_nor_an_address_is_refused(string text) =>
        Assert.Contains(
            $"--redis is '{text}'",
            Assert.Throws<SystemOptionException>(() => StoreChoice.Parse(text)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("--stores", "2", "--stores is '2'. Allowed: 1, 3, 5.")]
    [InlineData("--ports", "some", "--ports is 'some'. Allowed: fixed, any.")]
    [InlineData("--no-workers=maybe", null, "--no-workers is 'maybe'. Allowed: true, false.")]
    [InlineData("--scenario", null, "--scenario needs a value.")]
    public void A_value_that_is_not_allowed_is_answered_with_those_that_are(
        string option,
        string? value,
        string says
    ) =>
        Assert.Equal(
            says,
            Assert
                .Throws<SystemOptionException>(() =>
                    SystemOptionsParser.Parse(value is null ? [option] : [option, value])
                )
                .Message
        );

    [Fact]
    public void Several_stores_are_not_one_that_runs_already() =>
        Assert.Throws<SystemOptionException>(() => SystemOptionsParser.Parse(["--redis", "r:1", "--stores", "3"]));

    [Theory]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData(" 80")]
    [InlineData("http")]
    public void A_port_is_a_number_of_sixteen_bits(string text) =>
        Assert.Contains(
            $"API_PORT is '{text}'",
            Assert
                .Throws<SystemOptionException>(() =>
                    SystemOptionsParser.Parse(["--API_PORT", text]).Port(GalaxyServices.Gateway.Endpoints[1])
                )
                .Message,
            StringComparison.Ordinal
        );
}
