using Galaxy.Cli.Machine;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli.Tests.Machine;

public sealed class MachinePlanTests : IDisposable
{
    private readonly ConfigurationManager _settings = new();

    public MachinePlanTests() => _settings["GALAXY_API_KEY"] = "a-key-of-a-test";

    public void Dispose() => _settings.Dispose();

    private Task<MachinePlan> MakeAsync(MachineRole role, NodeOptions? node = null) =>
        MachinePlan.MakeAsync(
            role,
            node
                ?? new NodeOptions
                {
                    NodeId = "a",
                    ApiKey = "a-key-of-a-test",
                    Advertise = "10.99.0.1",
                },
            _settings,
            new OwnAddresses(TimeProvider.System),
            default
        );

    [Theory]
    [InlineData("Witness", "GALAXY_STORES")]
    [InlineData("Standby", "PRIMARY_URL")]
    public async Task Who_needs_others_says_which_setting_names_them(string role, string setting) =>
        Assert.Equal(
            setting,
            (await Assert.ThrowsAsync<SettingException>(() => MakeAsync(Enum.Parse<MachineRole>(role)))).Key
        );

    [Fact]
    public async Task Alone_a_machine_keeps_one_store_and_with_others_its_own_of_the_list()
    {
        Assert.Single((await MakeAsync(MachineRole.Coordinator)).OwnStores);

        _settings["GALAXY_STORES"] = "10.99.0.1,10.99.0.2,10.99.0.3";
        var plan = await MakeAsync(MachineRole.Coordinator);

        Assert.Equal("10.99.0.1", Assert.Single(plan.OwnStores).Host);
        Assert.Equal(["10.99.0.2:9071", "10.99.0.3:9071"], plan.Seeds);
        Assert.Equal(3, plan.Stores.Split('|').Length);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public async Task A_witness_that_the_list_does_not_name_is_refused_and_a_standby_of_one_store_is_warned()
    {
        _settings["GALAXY_STORES"] = "10.99.0.2";

        await Assert.ThrowsAsync<SettingException>(() => MakeAsync(MachineRole.Witness));
        Assert.Contains(
            "the only store is on 10.99.0.2",
            Assert.Single((await MakeAsync(MachineRole.Standby)).Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_redis_of_their_own_counts_more_than_stores_of_ours()
    {
        _settings["GALAXY_STORES"] = "10.99.0.1";
        _settings["ConnectionStrings:redis"] = "redis:6379";

        var plan = await MakeAsync(MachineRole.Coordinator);

        Assert.Equal((0, "redis:6379"), (plan.OwnStores.Count, plan.Stores));
    }
}
