using System.Text.Json.Nodes;
using Galaxy.Cli.Worker.Actions;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Cli.Tests.Worker.Actions;

public sealed class HttpActionsTests
{
    private static Task<JsonNode?> RunAsync(WorkerAction action, JsonObject parameters) =>
        action.RunAsync(new ActionCall(parameters, _ => { }, default));

    private static Task<JsonNode?> RequestAsync(JsonObject parameters) =>
        RunAsync(BasicActions.All.Single(action => action.Name == "http.request"), parameters);

    [Fact]
    public async Task A_quarter_of_a_mebibyte_is_taken_and_one_byte_more_is_not()
    {
        await using var server = await OneServer.StartAsync(context =>
            context.Response.WriteAsync(new string('x', (256 * 1024) + (context.Request.Path == "/more" ? 1 : 0)))
        );

        var most = await RequestAsync(new() { ["url"] = server.Url + "/most" });

        Assert.Equal((200, 256 * 1024), ((int)most!["status"]!, ((string?)most["body"])!.Length));
        await Assert.ThrowsAsync<HttpRequestException>(() => RequestAsync(new() { ["url"] = server.Url + "/more" }));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("localhost:80")]
    public async Task Only_http_is_asked(string url) =>
        Assert.Contains(
            $"'url' is '{url}'",
            (await Assert.ThrowsAsync<ArgumentException>(() => RequestAsync(new() { ["url"] = url }))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task A_text_is_sent_as_it_is_an_object_as_json_and_headers_of_the_content_go_with_it()
    {
        await using var server = await OneServer.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(
                $"{context.Request.ContentType}|{context.Request.Headers["X-A"]}|{context.Request.Headers.ContentLanguage}|"
                    + await reader.ReadToEndAsync()
            );
        });
        async Task<string?> SendAsync(JsonNode body) =>
            (string?)
                (
                    await RequestAsync(
                        new()
                        {
                            ["url"] = server.Url,
                            ["method"] = "POST",
                            ["headers"] = new JsonObject { ["X-A"] = "a", ["Content-Language"] = "de" },
                            ["body"] = body,
                        }
                    )
                )!["body"];

        Assert.Equal("text/plain|a|de|hi", await SendAsync("hi"));
        Assert.Equal("""application/json|a|de|{"a":1}""", await SendAsync(new JsonObject { ["a"] = 1 }));
    }

    [Fact]
    public async Task A_model_is_asked_for_a_whole_answer_with_the_key()
    {
        string? key = null;
        var asked = new JsonObject();
        await using var server = await OneServer.StartAsync(async context =>
        {
            key = context.Request.Headers.Authorization;
            asked = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"model":"m","choices":[{"message":{"content":"hi"}}]}""");
        });

        var answer = await RunAsync(
            new ChatAction(new Uri(server.Url + "/v1/"), "k").Action,
            new() { ["messages"] = new JsonArray("hello"), ["stream"] = true }
        );

        Assert.Equal(("hi", "Bearer k"), ((string?)answer!["content"], key));
        Assert.Equal(("galaxy/echo", false), ((string?)asked["model"], asked.ContainsKey("stream")));
    }

    [Theory]
    [InlineData("""{"error":{"message":"no such model"}}""", "no such model")]
    [InlineData("{}", "the model's server answered with status 404")]
    public async Task A_models_refusal_is_told_in_its_words(string body, string says)
    {
        await using var server = await OneServer.StartAsync(404, body);
        var action = new ChatAction(new Uri(server.Url), null).Action;

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            RunAsync(action, new() { ["messages"] = new JsonArray("hello") })
        );

        Assert.Equal(says, failure.Message);
        await Assert.ThrowsAsync<ArgumentException>(() => RunAsync(action, new() { ["messages"] = new JsonArray() }));
    }
}
