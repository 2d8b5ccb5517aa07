using Galaxy.Core.Routing;
using Galaxy.Router.Rules;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Router.Tests.Rules;

public sealed class RouterRulesTests
{
    private readonly IConfigurationRoot _configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();

    private RouterRules Read() => new(_configuration, NullLogger<RouterRules>.Instance);

    [Fact]
    public void Eleven_rules_stay_in_their_order_and_one_without_a_name_is_called_by_its_number()
    {
        for (var i = 0; i < 11; i++)
            _configuration[$"Router:Rules:{i}:Match:Capability"] = $"capability-{i}";
        _configuration["Router:Rules:3:Name"] = "mine";
        using var rules = Read();

        Assert.Equal(Enumerable.Range(0, 11).Select(i => $"capability-{i}"), rules.Current.Select(r => r.Capability));
        Assert.Equal(["rule 2", "mine", "rule 4"], rules.Current.Skip(2).Take(3).Select(rule => rule.Name));
    }

    [Fact]
    public void The_targets_are_one_group_and_each_fallback_one_of_its_own()
    {
        foreach (var (key, value) in new[] { ("Targets:0", "a"), ("Targets:1", "b") })
            _configuration["Router:Rules:0:" + key] = value;
        foreach (var (key, value) in new[] { ("Fallbacks:0", "layer:tools"), ("Fallbacks:1", "*") })
            _configuration["Router:Rules:0:" + key] = value;
        using var rules = Read();

        Assert.Equal(
            ["a b", "layer:tools", "*"],
            rules.Current[0].Groups.Select(group => string.Join(' ', group.Select(selector => selector.Text)))
        );
    }

    [Theory]
    [InlineData("Strategy", "fastest")]
    [InlineData("Match:Labels", "=true")]
    [InlineData("Targets:0", "label:")]
    [InlineData("Targets:0", "kind:robot")]
    [InlineData("Fallbacks:0", "")]
    public void What_cannot_be_used_leaves_the_last_rules_in_force(string key, string value)
    {
        _configuration["Router:Rules:0:Strategy"] = "random";
        using var rules = Read();
        var changes = 0;
        rules.Changed += () => changes++;

        _configuration["Router:Rules:0:Name"] = "new";
        _configuration["Router:Rules:0:" + key] = value;
        _configuration.Reload();

        Assert.Equal(("rule 0", RouteStrategies.Find("random")), (rules.Current[0].Name, rules.Current[0].Strategy));
        Assert.Equal(0, changes);
    }

    [Fact]
    public void Rules_that_cannot_be_used_at_the_start_are_none_until_they_are_mended()
    {
        _configuration["Router:Rules:0:Strategy"] = "fastest";
        using var rules = Read();
        var changes = 0;
        rules.Changed += () => changes++;
        Assert.Empty(rules.Current);

        _configuration["Router:Rules:0:Strategy"] = "adaptive";
        _configuration.Reload();

        Assert.Equal(RouteStrategies.Find("adaptive"), Assert.Single(rules.Current).Strategy);
        Assert.Equal(1, changes);
    }
}
