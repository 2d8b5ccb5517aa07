using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Anthropic;
using Galaxy.OneApi.Dialects.Gemini;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Requests;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Tokens;

/// <summary>Anthropic's <c>count_tokens</c>. Thread-safe.</summary>
internal sealed class TokenCounter(
    Callers callers,
    ModelRouter router,
    Upstream upstream,
    KeyRing keys,
    OneApiOptions options,
    TimeProvider time
)
{
    /// <summary>Set where the number is an estimate.</summary>
    public const string EstimateHeader = "x-galaxy-estimated";

    private static readonly MessagesClient Client = new();

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await callers.IdentifyAsync(context.Request);
            var body = await Bodies.ReadAsync(context, options.MaxBodyMiB);
            var envelope = Envelope.Read(body.Span, "messages");
            var target = (await router.PlanAsync(envelope.Model, envelope.User, context.RequestAborted)).Targets[0];
            var asked = MessagesRequest.Read(ModelRequest.Parse(body), needsMaxTokens: false);
            var counted = target.Provider?.Dialect.Wire switch
            {
                Wire.Messages => await AskAsync(
                    context,
                    target,
                    "/messages/count_tokens",
                    envelope.WithModel(body, target.Model),
                    "input_tokens"
                ),
                Wire.Gemini => await AskAsync(
                    context,
                    target,
                    $"/models/{target.Model}:countTokens",
                    CountBody(asked, target.Model),
                    "totalTokens"
                ),
                _ => null,
            };
            if (counted is null)
                context.Response.Headers[EstimateHeader] = "true";
            await context.Response.WriteAsJsonAsync(
                new { input_tokens = counted ?? Estimate(asked, target) },
                context.RequestAborted
            );
        }
        catch (Exception failure) when (ErrorOf(failure) is { } error)
        {
            await Errors.WriteAsync(context, Client, error);
        }
    }

    private static ModelError? ErrorOf(Exception failure) =>
        failure switch
        {
            UpstreamException upstream => upstream.Error,
            BadFieldException field => field.Error,
            RefusedException refused => refused.Error,
            UnknownModelException unknown => unknown.Error,
            _ => null,
        };

    private async Task<int?> AskAsync(
        HttpContext context,
        Target target,
        string path,
        ReadOnlyMemory<byte> body,
        string result
    )
    {
        var provider = target.Provider!;
        var key = keys.Take(provider).Key;
        try
        {
            await using var call = await UpstreamCall.SendAsync(
                upstream,
                provider,
                provider.Dialect,
                key is { Length: > 0 } ? key : null,
                path,
                body,
                provider.Dialect.Wire == Wire.Messages ? context.Request.Headers : null,
                time,
                context.RequestAborted
            );
            return ChatAnswer.Int(JsonNode.Parse(await call.ReadAllAsync()).Get(result));
        }
        catch (UpstreamException missing) when (missing.Error.Kind == ErrorKind.NotFound)
        {
            // Not every provider of this dialect can count tokens.
            return null;
        }
        catch (JsonException)
        {
            throw new UpstreamException(
                new ModelError(ErrorKind.Upstream, $"The provider '{provider.Name}' sent no count.")
            );
        }
    }

    private static byte[] CountBody(Conversation asked, string model)
    {
        var body = GeminiWriter.Write(asked, model, new Losses());
        return JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject { ["contents"] = body["contents"]!.DeepClone() },
            Sse.Json
        );
    }

    // The usual rule of thumb is four letters for a token; galaxy/echo counts words.
    private static int Estimate(Conversation asked, Target target)
    {
        var text =
            string.Join(
                ' ',
                asked
                    .Messages.SelectMany(message => message.Parts)
                    .Select(part =>
                        part switch
                        {
                            TextPart said => said.Text,
                            ToolCallPart call => call.Name + call.Arguments,
                            ToolResultPart result => Turns.TextOf(result.Content),
                            _ => "",
                        }
                    )
            ) + string.Concat(asked.Tools.Select(tool => tool.Name + tool.Description + tool.Schema?.ToJsonString()));
        return target.Backend == Backend.Echo ? EchoModel.Words(text).Count : text.Length / 4 + 1;
    }
}
