using Galaxy.OneApi.Dialects.Anthropic;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Tokens;

namespace Galaxy.OneApi.Http;

/// <summary>The endpoints of the three dialects that clients speak; responses have a file of their own.</summary>
internal static class ChatApi
{
    private static readonly Operation Chat = new("chat", "messages");
    private static readonly Operation Completion = new("text_completion", "prompt");

    public static void MapChatApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapPost("/v1/chat/completions", (HttpContext context, ModelRelay relay, TimeProvider time) =>
                relay.HandleAsync(context, new ChatClient(time), Chat)
            )
            .Ours()
            .WithSummary("Chat with any model in OpenAI's words, streaming or not");
        endpoints
            .MapPost("/v1/completions", (HttpContext context, ModelRelay relay, TimeProvider time) =>
                relay.HandleAsync(context, new CompletionsClient(time), Completion)
            )
            .Ours()
            .WithSummary("Complete a text (OpenAI's old endpoint)");
        endpoints
            .MapPost("/v1/messages", (HttpContext context, ModelRelay relay) =>
                relay.HandleAsync(context, new MessagesClient(), Chat)
            )
            .Ours()
            .WithSummary("Chat with any model in Anthropic's words, streaming or not");
        endpoints
            .MapPost("/v1/messages/count_tokens", (HttpContext context, TokenCounter counter) =>
                counter.HandleAsync(context)
            )
            .KnowsCallers()
            .WithSummary(
                "How many tokens a message has: counted by its provider where that can count, estimated elsewhere"
            );
    }
}
