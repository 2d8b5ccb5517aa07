using System.ClientModel;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI;
using OpenAI.Chat;

namespace Galaxy.OneApi.Tests.Sdks;

/// <summary>The official .NET clients, on upstreams of every dialect.</summary>
public sealed class DotnetSdkTests(Npm npm) : IAsyncLifetime
{
    private const string Hi = "Hi there, how are you today?";

    private OneApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Npm.Absent is null, Npm.Absent ?? "");
        _server = await npm.ServerAsync();
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    public static TheoryData<string> Models => ["oai/gpt-4o", "ant/claude-sonnet-4-5", "gem/gemini-2.5-flash"];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task OpenAIs(string model)
    {
        var client = new OpenAIClient(
            new ApiKeyCredential(OneApiServer.Key),
            new OpenAIClientOptions { Endpoint = new Uri(_server.Url, "/v1") }
        ).GetChatClient(model);

        Assert.Equal(Hi, (await client.CompleteChatAsync([new UserChatMessage("hello")])).Value.Content[0].Text);
        var streamed = "";
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage("hello")]))
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
        Assert.Equal(Hi, streamed);

        var tool = ChatTool.CreateFunctionTool(
            "get_weather",
            "The weather",
            BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}""")
        );
        List<ChatMessage> messages = [new UserChatMessage("what is the weather")];
        var first = (await client.CompleteChatAsync(messages, new ChatCompletionOptions { Tools = { tool } })).Value;
        Assert.Equal(
            (ChatFinishReason.ToolCalls, """{"city":"Lisbon"}"""),
            (first.FinishReason, first.ToolCalls[0].FunctionArguments.ToString())
        );
        messages.AddRange([new AssistantChatMessage(first), new ToolChatMessage(first.ToolCalls[0].Id, "sunny")]);
        Assert.Equal(
            "It is sunny in Lisbon.",
            (await client.CompleteChatAsync(messages, new ChatCompletionOptions { Tools = { tool } }))
                .Value
                .Content[0]
                .Text
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Anthropics(string model)
    {
        using var client = new AnthropicClient
        {
            BaseUrl = _server.Url.ToString().TrimEnd('/'),
            ApiKey = OneApiServer.Key,
        };
        var ask = new MessageCreateParams
        {
            Model = model,
            MaxTokens = 99,
            Messages = [new UserMessageParam("hello")],
        };

        var answer = await client.Messages.Create(ask);
        Assert.Equal(Hi, Text(answer.Content[0]));
        var streamed = "";
        await foreach (var step in client.Messages.CreateStreaming(ask))
        {
            if (step.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var text))
                streamed += text.Text;
        }
        Assert.Equal(Hi, streamed);
    }

    private static string Text(ContentBlock block) => block.TryPickText(out var text) ? text.Text : "";
}
