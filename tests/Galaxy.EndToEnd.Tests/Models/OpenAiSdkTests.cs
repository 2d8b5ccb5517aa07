using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace Galaxy.EndToEnd.Tests.Models;

/// <summary>The official .NET SDK against the gateway.</summary>
[Collection("system")]
public sealed class OpenAiSdkTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private OpenAIClient Client(string? key = null) =>
        new(new ApiKeyCredential(key ?? galaxy.Key), new OpenAIClientOptions { Endpoint = new Uri(galaxy.Host.Url("gateway", "api"), "/v1") });

    [Fact]
    public async Task The_models_are_listed()
    {
        var models = await Client().GetOpenAIModelClient().GetModelsAsync();

        Assert.Contains(models.Value, model => model.Id == "galaxy/echo");
    }

    [Fact]
    public async Task A_chat_is_completed()
    {
        var answer = await Client().GetChatClient("galaxy/echo").CompleteChatAsync([new SystemChatMessage("be brief"), new UserChatMessage("hello galaxy")]);

        Assert.Contains("hello galaxy", answer.Value.Content[0].Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, answer.Value.FinishReason);
        Assert.True(answer.Value.Usage.TotalTokenCount > 0);
    }

    [Fact]
    public async Task A_chat_is_streamed_in_pieces()
    {
        var pieces = new List<string>();
        ChatFinishReason? finish = null;
        await foreach (var update in Client().GetChatClient("galaxy/echo").CompleteChatStreamingAsync([new UserChatMessage("one two three four")]))
        {
            pieces.AddRange(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
        }

        Assert.True(pieces.Count(piece => piece.Length > 0) > 1, "it came in one piece");
        Assert.Contains("one two three four", string.Concat(pieces), StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, finish);
    }

    [Fact]
    public async Task An_unknown_model_is_an_error_that_the_sdk_understands()
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(() => Client().GetChatClient("no/such-model").CompleteChatAsync([new UserChatMessage("hi")]));

        Assert.Equal(404, failure.Status);
        Assert.Contains("no/such-model", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_refused()
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(() => Client("wrong-key").GetChatClient("galaxy/echo").CompleteChatAsync([new UserChatMessage("hi")]));

        Assert.Equal(401, failure.Status);
    }
}
