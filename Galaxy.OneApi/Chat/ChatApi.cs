using System.Diagnostics;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Errors;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Chat;

internal static class ChatApi
{
    private const int MaxBodyBytes = 20 * 1024 * 1024;
    private static readonly ActivitySource Source = new("Galaxy.OneApi");

    public static void MapChatApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/v1/chat/completions", CompleteAsync).WithSummary("Chat with any configured model, streaming or not")
            .WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(MaxBodyBytes));

    private static async Task<IResult> CompleteAsync(HttpContext context, ModelDirectory models, Upstream upstream, TimeProvider time, ILoggerFactory loggers)
    {
        byte[] body;
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            body = buffer.ToArray();
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == 413)
        {
            return OpenAiError.Result(413, $"The body is over {MaxBodyBytes / 1024 / 1024} MiB.", "invalid_request_error");
        }
        if (ChatEnvelope.Read(body, out var problem, out var field) is not { } envelope)
            return OpenAiError.Invalid(problem, field);

        using var activity = Source.StartActivity("chat " + envelope.Model, ActivityKind.Client);
        activity?.SetTag("gen_ai.operation.name", "chat");
        activity?.SetTag("gen_ai.request.model", envelope.Model);
        if (envelope.Model == EchoModel.Name)
        {
            context.Response.Headers["x-galaxy-provider"] = ProviderCatalog.BuiltIn;
            await EchoModel.AnswerAsync(context, (JsonObject)JsonNode.Parse(body)!, envelope.Stream, time);
            return Results.Empty;
        }
        var (provider, model) = await models.ResolveAsync(envelope.Model, context.RequestAborted);
        if (provider is null)
            return OpenAiError.UnknownModel(envelope.Model, models.ProviderNames);
        activity?.SetTag("gen_ai.provider.name", provider.Name);
        context.Response.Headers["x-galaxy-provider"] = provider.Name;
        return await PassThrough.SendAsync(context, upstream, provider, envelope.WithModel(body, model), loggers.CreateLogger("Galaxy.OneApi.PassThrough"));
    }
}
