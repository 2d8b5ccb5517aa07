using System.Text.Json;
using System.Text.RegularExpressions;
using Galaxy.Core.Routing;
using Galaxy.Router.Catalog;
using Galaxy.Router.Tools;

namespace Galaxy.Router.Tests.Tools;

public sealed partial class ToolCatalogTests
{
    private static RouteTarget Target(string id, params RouteCapability[] offers) =>
        new(id, false, "external", "tools", "http://" + id, TargetStatus.Healthy, 0) { Capabilities = offers };

    private static IReadOnlyList<Tool> Read(params RouteTarget[] targets) =>
        ToolCatalog.Read(
            RoutingTable.Build(targets, id => new TargetState(id, BreakerOptions.Standard), [], TimeSpan.Zero)
        );

    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$")]
    private static partial Regex EveryModelTakes();

    [Fact]
    public void Every_capability_has_a_name_of_its_own_that_every_model_takes()
    {
        var l = new string('l', 70);
        string[] capabilities = ["a.b", "a_b", "a b", "Grüße", l + "1", l + "2"];

        var tools = Read(Target("s", [.. capabilities.Select(name => new RouteCapability(name))]));

        Assert.Equal(
            capabilities.Order(StringComparer.Ordinal),
            tools.Select(tool => tool.Capability).Order(StringComparer.Ordinal)
        );
        Assert.Equal(capabilities.Length, tools.Select(tool => tool.Name).Distinct().Count());
        Assert.All(tools, tool => Assert.Matches(EveryModelTakes(), tool.Name));
    }

    [Fact]
    public void Who_cannot_take_it_offers_no_tool()
    {
        var (ill, tired) = (Target("ill", new RouteCapability("a")), Target("tired", new RouteCapability("a")));

        Assert.Empty(Read(ill with { Status = TargetStatus.Unhealthy }));
        Assert.Equal(
            ["tired"],
            Read(ill with { Status = TargetStatus.Unknown }, tired with { Status = TargetStatus.Degraded })[0].Targets
        );
    }

    [Fact]
    public void Who_tells_most_is_believed_and_all_must_say_that_it_is_harmless()
    {
        const string Schema = """{"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}""";
        var read = new RouteCapability("a") { Method = "GET", IsIdempotent = true };

        var mixed = Read(Target("x", read), Target("y", read with { Method = "POST", Parameters = Schema }))[0];
        var same = Read(Target("x", read), Target("y", read))[0];

        Assert.Equal("text", mixed.InputSchema.GetProperty("required")[0].GetString());
        Assert.Equal((false, true), (mixed.IsReadOnly, mixed.IsIdempotent));
        Assert.True(same.IsReadOnly);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"type":"string"}""")]
    [InlineData("""{"type":["object","null"]}""")]
    [InlineData("""{"type":"object","type":"object","x":1}""")]
    public void A_schema_that_clients_would_refuse_is_any_object(string? schema) =>
        Assert.Equal("""{"type":"object"}""", ToolSchema.ForTool(schema, ["s"]).GetRawText());

    [Fact]
    public void Where_there_are_several_the_caller_may_choose_among_the_first_fifty()
    {
        static JsonElement Choice(string? schema, int count) =>
            ToolSchema
                .ForTool(schema, [.. Enumerable.Range(0, count).Select(i => $"s{i}")])
                .GetProperty("properties")
                .GetProperty(ToolSchema.Target);

        Assert.Equal(2, Choice("""{"type":"object","properties":{"a":{}}}""", 2).GetProperty("enum").GetArrayLength());
        Assert.Equal(50, Choice("""{"properties":"none"}""", 60).GetProperty("enum").GetArrayLength());
    }
}
