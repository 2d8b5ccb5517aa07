using Galaxy.Core.Routing;

namespace Galaxy.Core.Tests.Routing;

public class RouteRuleTests
{
    private readonly Fleet _fleet = new Fleet()
        .With("gpu-1", labels: "gpu=true")
        .With("gpu-2", labels: "gpu=true")
        .With("phone", device: true)
        .With("cloud");

    private static IReadOnlyList<TargetSelector> Group(params string[] texts) =>
        [.. texts.Select(text => new TargetSelector(text))];

    [Fact]
    public void Groups_are_taken_in_order_and_the_next_serves_when_one_is_empty()
    {
        _fleet.Rules.Add(
            new RouteRule("big models at home")
            {
                Model = "llama*70b",
                Groups = [Group("label:gpu=true"), Group("cloud")],
                Strategy = RouteStrategies.Find("round_robin"),
            }
        );
        var query = new RouteQuery("echo") { Model = "llama-3-70b" };

        Assert.Equal(["gpu-1", "gpu-2"], _fleet.Count(query, 10).Keys.Order());
        _fleet.Fail("gpu-1", 5);
        _fleet.Fail("gpu-2", 5);
        Assert.Equal("cloud", _fleet.Choose(query));
        var why = _fleet.Explain(query);
        Assert.Equal(("big models at home", "round_robin", "cloud"), (why.Rule, why.Strategy, why.Chosen?.Id));
        Assert.Contains(why.Excluded, one =>
            one.Id == "phone" && one.Reason.Contains("does not name it", StringComparison.Ordinal)
        );

        _fleet.Without("cloud");
        Assert.Null(_fleet.Choose(query));
        Assert.Equal("phone", _fleet.Choose(query with { Model = "llama-3-8b" }));
    }

    [Fact]
    public void The_first_rule_that_matches_counts()
    {
        _fleet.Rules.Add(
            new RouteRule("kitchen")
            {
                Caller = "kitchen-*",
                Labels = "gpu=true",
                Groups = [Group("gpu-2")],
            }
        );
        _fleet.Rules.Add(new RouteRule("all") { Capability = "ec*", Groups = [Group("kind:device")] });

        Assert.Equal("gpu-2", _fleet.Choose(new RouteQuery("echo") { Caller = "kitchen-tablet", Labels = "gpu=true" }));
        Assert.Equal("phone", _fleet.Choose(new RouteQuery("echo") { Caller = "kitchen-tablet" }));
        Assert.Equal("phone", _fleet.Choose(new RouteQuery("echo")));
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("a*c", "abc", true)]
    [InlineData("a*c", "ac", true)]
    [InlineData("a*c", "acb", false)]
    [InlineData("*b*", "abc", true)]
    [InlineData("a**b*c", "axxbyybzc", true)]
    [InlineData("", "a", false)]
    [InlineData("abc", "ab", false)]
    [InlineData("ab", "abc", false)]
    [InlineData("*aab", "aaaab", true)]
    public void A_star_stands_for_any_letters(string pattern, string id, bool matches) =>
        Assert.Equal(matches, new RouteRule("r") { Capability = pattern }.Matches(new RouteQuery(id)));

    [Theory]
    [InlineData("type:and*", "phone")]
    [InlineData("layer:physical", "phone")]
    [InlineData("kind:device", "phone")]
    [InlineData("clo*", "cloud")]
    public void Targets_are_named_in_several_ways(string text, string expected)
    {
        _fleet.Rules.Add(new RouteRule("r") { Groups = [Group(text)] });

        Assert.Equal(expected, _fleet.Choose(new RouteQuery("echo")));
        Assert.Null(TargetSelector.Complaint(text));
        Assert.NotNull(TargetSelector.Complaint("kind:toaster"));
    }
}
