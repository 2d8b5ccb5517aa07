using System.Net;
using System.Text.Json.Nodes;
using Galaxy.Router.Catalog;
using Galaxy.Router.Tests.Lab;
using Galaxy.Router.Tools;

namespace Galaxy.Router.Tests.Tools;

public sealed class ToolRunnerTests
{
    private static Task<ToolResult> RunAsync(OneRouter router, JsonObject? arguments, string? target = null)
    {
        var runner = router.Get<ToolRunner>();
        return runner.RunAsync(runner.Find("echo")!, arguments, target, TimeSpan.FromSeconds(30), null, default);
    }

    [Fact]
    public async Task The_chosen_target_does_it_and_is_not_told_of_the_choice()
    {
        await using var a = await OneService.StartAsync(200, """{"from":"a"}""");
        await using var b = await OneService.StartAsync(200, """{"from":"b"}""");
        await using var router = await OneRouter.StartAsync(a.As("a"), b.As("b", load: 0.9));

        var result = await RunAsync(router, new JsonObject { ["text"] = "hi", [ToolSchema.Target] = "b" });

        Assert.Equal((true, "b", "b"), (result.Success, result.NodeId, (string?)result.Result!["from"]));
        Assert.Equal("""{"text":"hi"}""", b.Asked.Single().Body);
    }

    [Fact]
    public async Task Where_there_is_one_only_an_argument_of_that_name_is_its_own()
    {
        await using var a = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(a.As("a"));

        Assert.True((await RunAsync(router, new JsonObject { [ToolSchema.Target] = "b" })).Success);
        Assert.Equal($$"""{"{{ToolSchema.Target}}":"b"}""", a.Asked.Single().Body);
    }

    [Fact]
    public async Task A_target_that_does_not_offer_it_is_answered_with_who_does()
    {
        await using var a = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(a.As("a"));

        var result = await RunAsync(router, null, target: "c1");

        Assert.Equal((false, "'c1' does not offer echo; a do."), (result.Success, result.Error));
        Assert.Empty(a.Asked);
    }

    [Theory]
    [InlineData(200, "plain", true, null)]
    [InlineData(404, """{"detail":"no such room"}""", false, "a answered 404: no such room")]
    [InlineData(500, "oh", false, "a answered 500: oh")]
    public async Task Texts_are_results_and_failures_are_told_in_the_services_words(
        int status,
        string body,
        bool success,
        string? error
    )
    {
        await using var a = await OneService.StartAsync(status, body);
        await using var router = await OneRouter.StartAsync(a.As("a"));

        var result = await RunAsync(router, null);

        Assert.Equal((success, error), (result.Success, result.Error));
        Assert.Equal(success ? body : null, (string?)result.Result);
    }

    [Fact]
    public async Task An_answer_of_more_than_four_mebibytes_is_not_read_to_its_end()
    {
        await using var a = await OneService.StartAsync(200, new string('x', (4 * 1024 * 1024) + 1));
        await using var router = await OneRouter.StartAsync(a.As("a"));

        var result = await RunAsync(router, null);

        Assert.False(result.Success);
        Assert.StartsWith("The answer of a could not be read to its end", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"tool":"echo","arguments":[1]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"tool":"echo","timeout":0}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"tool":"echo","timeout":3601}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"tool":"fly"}""", HttpStatusCode.NotFound)]
    [InlineData("""{"capability":"echo","params":{}}""", HttpStatusCode.OK)]
    public async Task The_api_says_what_is_wrong_with_a_call(string call, HttpStatusCode status)
    {
        await using var a = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(a.As("a"));

        Assert.Equal(status, (await router.PostAsync("/tools/invoke", JsonNode.Parse(call)!)).Status);
    }
}
