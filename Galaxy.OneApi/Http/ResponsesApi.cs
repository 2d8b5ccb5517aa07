using System.Text.Json;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Responses;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Requests;
using Galaxy.OneApi.Responses;

namespace Galaxy.OneApi.Http;

/// <summary>
/// OpenAI's Responses API: with providers that have it requests pass through, for the others this service stores the
/// responses.
/// </summary>
internal static class ResponsesApi
{
    private static readonly Operation Respond = new("chat", "input");

    public static void MapResponsesApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapPost("/v1/responses", CreateAsync)
            .KnowsCallers()
            .WithSummary("Have any model respond, in OpenAI's newer words");
        endpoints
            .MapGet("/v1/responses/{id}", (string id, HttpContext context, ResponseKeeper keeper) =>
                keeper.GetAsync(context, id)
            )
            .KnowsCallers()
            .WithSummary("A response that was kept");
        endpoints
            .MapDelete("/v1/responses/{id}", (string id, HttpContext context, ResponseKeeper keeper) =>
                keeper.DeleteAsync(context, id)
            )
            .KnowsCallers()
            .WithSummary("Forget a response");
        endpoints
            .MapGet("/v1/responses/{id}/input_items", (string id, HttpContext context, ResponseKeeper keeper) =>
                keeper.InputAsync(context, id)
            )
            .KnowsCallers()
            .WithSummary("What a response was asked");
    }

    private static async Task CreateAsync(
        HttpContext context,
        ModelRelay relay,
        ResponseKeeper keeper,
        Callers callers,
        OneApiOptions options,
        TimeProvider time
    )
    {
        var client = new ResponsesClient(time, []);
        try
        {
            var caller = await callers.IdentifyAsync(context.Request);
            var body = await Bodies.ReadAsync(context, options.MaxBodyMiB);
            Envelope.Read(body.Span, "input");
            var request = ModelRequest.Parse(body);
            var (plan, items) = await keeper.ContinueAsync(request, caller, context.RequestAborted);
            if (items is not null)
                body = JsonSerializer.SerializeToUtf8Bytes(request, Sse.Json);
            client = new ResponsesClient(time, request);
            await relay.HandleAsync(context, client, Respond, body, caller, plan, (exchange, target) =>
                keeper.KeepAsync(client, request, exchange, target, caller)
            );
        }
        catch (Exception failure) when (ResponseKeeper.ErrorOf(failure) is { } error && !context.Response.HasStarted)
        {
            await Errors.WriteAsync(context, client, error);
        }
    }
}
