using System.Text.Json.Nodes;
using Galaxy.Gateway.Documents;
using Galaxy.Gateway.Routing;

namespace Galaxy.Gateway.Tests.Documents;

public sealed class DocumentMergeTests
{
    private static JsonObject Document(string json) => (JsonObject)JsonNode.Parse(json)!;

    [Fact]
    public void Each_path_is_described_by_the_service_that_answers_it_and_names_that_mean_two_things_are_told_apart()
    {
        var one = Document(
            """{"info":{"title":"One"},"paths":{"/a":{"get":{"x":1}},"/b":{"get":{"wrong":"""
                + """true}}},"components":{"schemas":{"Same":{"type":"string"},"Thing":"""
                + """{"type":"object","properties":{"inner":{"$ref":"#/components/schemas/Same"}}}}}}"""
        );
        var two = Document(
            """{"info":{"title":"Two"},"paths":{"/b":{"get":{"schema":{"$ref":"#/components/schemas/Thing"}},"post":{"y":1}},"/c":{"get":{}}},"components":{"schemas":{"Same":{"type":"string"},"Thing":{"type":"integer"}}}}"""
        );

        var merged = DocumentMerge.Merge(
            new JsonObject { ["title"] = "All" },
            [("one", one), ("two", two)],
            (path, method) =>
                (path, method) switch
                {
                    ("/a", _) => "one",
                    ("/b", _) => "two",
                    _ => null,
                }
        );

        Assert.Equal(["/a", "/b"], merged["paths"]!.AsObject().Select(path => path.Key));
        Assert.Equal("#/components/schemas/TwoThing", (string?)merged["paths"]!["/b"]!["get"]!["schema"]!["$ref"]);
        Assert.Equal(["One"], merged["paths"]!["/a"]!["get"]!["tags"]!.AsArray().Select(tag => (string?)tag));
        Assert.Equal(
            ["Same", "Thing", "TwoThing"],
            merged["components"]!["schemas"]!.AsObject().Select(schema => schema.Key).Order()
        );
        Assert.Equal("object", (string?)merged["components"]!["schemas"]!["Thing"]!["type"]);
    }

    [Theory]
    [InlineData("/api/v1/tasks", "POST", "coordinator")]
    [InlineData("/api/v1/keys/{id}", "PATCH", "oneapi")]
    [InlineData("/api/v1/usage", "GET", "oneapi")]
    [InlineData("/api/v1/traces", "GET", "console")]
    [InlineData("/api/v1/discovery/nodes", "GET", "discovery")]
    [InlineData("/tools", "GET", "router")]
    [InlineData("/v1/models", "GET", "oneapi")]
    [InlineData("/api/v1/join", "POST", "coordinator")]
    [InlineData("/toolshed", "GET", null)]
    [InlineData("/anything", "GET", null)]
    public void Who_answers_is_what_the_routes_say(string path, string method, string? kind) =>
        Assert.Equal(kind, GatewayRoutes.KindOf(path, method));
}
