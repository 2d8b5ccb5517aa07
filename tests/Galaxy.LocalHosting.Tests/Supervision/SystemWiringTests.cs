using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Supervision;

namespace Galaxy.LocalHosting.Tests.Supervision;

public sealed class SystemWiringTests
{
    private static IReadOnlyList<ProcessDescription> Wire(params ServiceInstance[] services) =>
        new SystemWiring(services, ProgramFolder.Published(Path.GetTempPath()))
        {
            Port = _ => null,
            EnvironmentName = "Production",
        }.Wire();

    private static Dictionary<string, string?> Environment(IEnumerable<ProcessDescription> all, string name) =>
        all.Single(process => process.Name == name).Environment.ToDictionary();

    [Fact]
    public void Coordinators_are_told_of_each_other_and_not_of_themselves()
    {
        var all = Wire(new(GalaxyServices.Coordinator, "c1"), new(GalaxyServices.Coordinator, "c2"));

        var told = Environment(all, "c1").Where(pair => pair.Key.StartsWith("services__", StringComparison.Ordinal));

        var other = all.Single(process => process.Name == "c2").Endpoints.Single(endpoint => endpoint.Name == "grpc");
        Assert.Equal([KeyValuePair.Create("services__c2__grpc__0", (string?)other.Url)], told);
    }

    [Fact]
    public void Stores_of_the_system_are_told_to_those_who_use_them_only()
    {
        var all = Wire(
            new(GalaxyServices.Store, "redis"),
            new(GalaxyServices.Store, "redis-2"),
            new(GalaxyServices.Coordinator, "c1"),
            new(GalaxyServices.Router, "router")
        );

        Assert.Equal($"127.0.0.1:{all[1].Endpoints[0].Port}", Environment(all, "c1")["ConnectionStrings__redis-2"]);
        Assert.DoesNotContain("ConnectionStrings__redis", Environment(all, "router").Keys);
        Assert.Equal(["redis", "redis-2"], all[2].WaitsFor);
        Assert.Empty(Environment(all, "redis"));
    }

    [Fact]
    public void Telemetry_goes_to_the_console_with_one_secret_and_workers_to_the_gateway()
    {
        var all = Wire(
            new(GalaxyServices.Console, "console"),
            new(GalaxyServices.Gateway, "gateway"),
            new(GalaxyServices.Worker, "w")
        );

        var secrets = all.Select(process => process.Environment.ToDictionary()["GALAXY_OTLP_TOKEN"]).Distinct();
        Assert.Equal(32, Assert.Single(secrets)!.Length);
        var device = all[1].Endpoints.Single(endpoint => endpoint.Name == "ws");
        Assert.Equal(device.Url, Environment(all, "w")["MASTER_URL"]);
        Assert.Equal(["console"], all[1].WaitsFor);
    }

    [Fact]
    public void Each_endpoint_is_told_by_its_own_setting_and_what_only_this_one_is_told_comes_last()
    {
        var all = Wire(
            new ServiceInstance(GalaxyServices.Discovery, "discovery") { Environment = [("GRPC_PORT", "1")] }
        );

        var told = all[0].Environment;
        Assert.Contains(("ASPNETCORE_URLS", all[0].Endpoints[0].Url), told);
        Assert.Equal(("GRPC_PORT", "1"), told[^1]);
        Assert.Equal($"{all[0].Endpoints[1].Port}", told.First(pair => pair.Name == "GRPC_PORT").Value);
    }
}
