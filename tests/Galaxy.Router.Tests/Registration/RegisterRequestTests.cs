using System.Text.Json;
using Galaxy.Router.Registration;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Router.Tests.Registration;

public sealed class RegisterRequestTests
{
    private static RegisterRequest Read(string more, string url = "http://s:1") =>
        JsonSerializer.Deserialize<RegisterRequest>(
            $$"""{"node_id":"s","url":"{{url}}"{{(more.Length > 0 ? "," + more : "")}}}""",
            GalaxyJson.Options
        )!;

    [Theory]
    [InlineData("\"layer\":\"cellar\"", "'layer' is 'cellar'")]
    [InlineData("\"load\":1.01", "'load' must be 0 to 1.")]
    [InlineData("\"load\":-0.01", "'load' must be 0 to 1.")]
    [InlineData("\"status\":\"tired\"", "'status' is 'tired'")]
    [InlineData("\"ttl_seconds\":0.9", "'ttl_seconds' must be 1 to 3,600.")]
    [InlineData("\"ttl_seconds\":3601", "'ttl_seconds' must be 1 to 3,600.")]
    [InlineData("\"labels\":{\"a,b\":\"1\"}", "'labels' has 'a,b'")]
    [InlineData("\"labels\":{\"\":\"1\"}", "'labels' has ''")]
    [InlineData("\"capabilities\":{}", "'capabilities' must be a list")]
    [InlineData("\"capabilities\":[\"\"]", "'capabilities[0]' must be a name")]
    [InlineData("\"capabilities\":[\"a\",5]", "'capabilities[1]' must be a name")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"method\":\"PUT\"}]", "'capabilities[0].method' is 'PUT'")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"path\":\"a\"}]", "'capabilities[0].path' is 'a'")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"path\":\"//other/a\"}]", "'capabilities[0].path' is '//other/a'")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"path\":\"/a?b\"}]", "'capabilities[0].path' is '/a?b'")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"priority\":0}]", "'capabilities[0].priority' must be 1 to 10.")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"priority\":2.5}]", "'capabilities[0].priority' must be 1 to 10.")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"idempotent\":1}]", "'capabilities[0].idempotent' must be")]
    [InlineData("\"capabilities\":[{\"name\":\"a\",\"parameters\":[]}]", "'capabilities[0].parameters' must be")]
    public void What_cannot_be_used_is_named(string more, string complaint) =>
        Assert.StartsWith(complaint, Read(more).Complaint(), StringComparison.Ordinal);

    [Theory]
    [InlineData("ftp://s")]
    [InlineData("s:80")]
    [InlineData("http://s/?")]
    [InlineData("http://s/#top")]
    [InlineData("http://me:secret@s/")]
    public void An_address_to_which_no_path_can_be_added_is_refused(string url) =>
        Assert.StartsWith($"'url' is '{url}'", Read("", url).Complaint(), StringComparison.Ordinal);

    [Fact]
    public void A_hundred_capabilities_and_thirty_two_labels_are_taken_and_no_more()
    {
        static string Capabilities(int count) =>
            $"\"capabilities\":[{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"c{i}\""))}]";
        static string Labels(int count) =>
            $"\"labels\":{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"l{i}\":\"\""))}}}";

        Assert.Null(Read($"{Capabilities(100)},{Labels(32)}").Complaint());
        Assert.NotNull(Read(Capabilities(101)).Complaint());
        Assert.NotNull(Read(Labels(33)).Complaint());
    }

    [Fact]
    public void What_is_left_out_has_its_default_and_of_one_name_the_first_capability_counts()
    {
        var request = Read(
            """
            "capabilities":["echo",{"name":"echo","priority":9},{"name":"read","parameters":null,"version":null}]
            """,
            "http://s:1/base/"
        );
        Assert.Null(request.Complaint());

        var service = request.ToService();

        Assert.Equal(("tools", "http://s:1/base", 90_000L), (service.Layer, service.Url, service.TtlMs));
        Assert.Equal([("echo", 5), ("read", 5)], service.Capabilities.Select(one => (one.Name, one.Priority)));
    }
}
