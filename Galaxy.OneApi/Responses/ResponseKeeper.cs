using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Responses;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Responses;

/// <summary>Keeps responses, finds them again, and continues them. Thread-safe.</summary>
internal sealed partial class ResponseKeeper(
    ResponseStore store,
    Callers callers,
    ProviderCatalog providers,
    ModelRouter router,
    KeyRing keys,
    Upstream upstream,
    ILogger<ResponseKeeper> log
)
{
    private static readonly ResponsesClient Client = new(TimeProvider.System, []);

    public static ModelError? ErrorOf(Exception failure) =>
        failure switch
        {
            BadFieldException field => field.Error,
            RefusedException refused => refused.Error,
            UnknownModelException unknown => unknown.Error,
            StoreMissingException missing => missing.Error,
            _ => null,
        };

    /// <summary>Puts the items of the previous response in front of the items of this request.</summary>
    /// <returns>The plan, where only one provider can continue, or the items, where this service can.</returns>
    public async Task<(Plan?, JsonArray?)> ContinueAsync(
        JsonObject request,
        Caller caller,
        CancellationToken cancellation
    )
    {
        if (new Fields(request, "").Text("previous_response_id") is not { } before)
            return (null, null);
        var found = await store.FindAsync(before, caller) ?? throw NotFound(before, "previous_response_id");
        if (found.Provider is { } name)
        {
            var provider = providers.Find(name)
                ?? throw new RefusedException(
                    new ModelError(
                        ErrorKind.NotFound,
                        $"The provider '{name}', which keeps the response '{before}', is not configured any more.",
                        "previous_response_id"
                    )
                );
            var model = new Fields(request, "").RequiredText("model");
            var plan = await router.PlanAsync(model, null, cancellation);
            return (
                plan with
                {
                    Targets =
                    [
                        .. plan
                            .Targets.Where(target => target.Provider == provider)
                            .DefaultIfEmpty(new Target(Backend.Http, provider, model)),
                    ],
                },
                null
            );
        }
        var items = (JsonArray)(found.Items?.DeepClone() ?? new JsonArray());
        foreach (var item in InputItems(request))
            items.Add(item);
        request["input"] = items;
        request.Remove("previous_response_id");
        return (null, items);
    }

    private static IEnumerable<JsonNode> InputItems(JsonObject request) =>
        request["input"] switch
        {
            JsonArray list => list.OfType<JsonNode>().Select(item => item.DeepClone()),
            JsonValue text =>
            [
                new JsonObject
                {
                    ["type"] = "message",
                    ["role"] = "user",
                    ["content"] = text.DeepClone(),
                },
            ],
            _ => [],
        };

    public async Task KeepAsync(
        ResponsesClient client,
        JsonObject request,
        IExchange exchange,
        Target target,
        Caller caller
    )
    {
        if (!store.IsThere || request["store"]?.GetValueKind() == JsonValueKind.False)
            return;
        try
        {
            if (exchange is PassThrough { ResponseId: { Length: > 0 } id })
            {
                await store.KeepAsync(id, new StoredResponse(caller.Id, target.Owner, null, null, null));
            }
            else if (client.Writer?.Response is { } response)
            {
                var input = new JsonArray([.. InputItems(request)]);
                var items = new JsonArray([
                    .. InputItems(request),
                    .. (response["output"] as JsonArray ?? []).OfType<JsonNode>().Select(item => item.DeepClone()),
                ]);
                await store.KeepAsync(
                    response["id"]!.GetValue<string>(),
                    new StoredResponse(caller.Id, null, response, input, items)
                );
            }
        }
        catch (StoreMissingException missing)
        {
            // The client has the answer already; a later request that continues it will get an error.
            LogNotKept(missing.Message);
        }
    }

    public Task GetAsync(HttpContext context, string id) => FindAsync(context, id, async found =>
        {
            if (found.Provider is null)
                await WriteAsync(context, found.Response!);
            else
                await ForwardAsync(context, found.Provider, HttpMethod.Get, $"/responses/{Uri.EscapeDataString(id)}");
        });

    public Task InputAsync(HttpContext context, string id) => FindAsync(context, id, async found =>
        {
            if (found.Provider is null)
                await WriteAsync(
                    context,
                    new JsonObject
                    {
                        ["object"] = "list",
                        ["data"] = found.Input?.DeepClone(),
                        ["has_more"] = false,
                    }
                );
            else
                await ForwardAsync(
                    context,
                    found.Provider,
                    HttpMethod.Get,
                    $"/responses/{Uri.EscapeDataString(id)}/input_items"
                );
        });

    public Task DeleteAsync(HttpContext context, string id) => FindAsync(context, id, async found =>
        {
            await store.DeleteAsync(id);
            if (found.Provider is null)
                await WriteAsync(
                    context,
                    new JsonObject
                    {
                        ["id"] = id,
                        ["object"] = "response",
                        ["deleted"] = true,
                    }
                );
            else
                await ForwardAsync(
                    context,
                    found.Provider,
                    HttpMethod.Delete,
                    $"/responses/{Uri.EscapeDataString(id)}"
                );
        });

    private async Task FindAsync(HttpContext context, string id, Func<StoredResponse, Task> use)
    {
        try
        {
            var caller = await callers.IdentifyAsync(context.Request);
            await use(await store.FindAsync(id, caller) ?? throw NotFound(id, null));
        }
        catch (Exception failure) when (ErrorOf(failure) is { } error)
        {
            await Errors.WriteAsync(context, Client, error);
        }
    }

    private static RefusedException NotFound(string id, string? field) =>
        new(new ModelError(ErrorKind.NotFound, $"There is no response '{id}'.", field));

    private static Task WriteAsync(HttpContext context, JsonObject json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json.ToJsonString(Sse.Json), context.RequestAborted);
    }

    private async Task ForwardAsync(HttpContext context, string name, HttpMethod method, string path)
    {
        var provider = providers.Find(name)
            ?? throw new RefusedException(
                new ModelError(ErrorKind.NotFound, $"The provider '{name}' is not configured any more.")
            );
        try
        {
            using var response = await upstream.SendAsync(
                provider,
                keys.Take(provider).Key is { Length: > 0 } key ? key : null,
                method,
                path,
                context.RequestAborted
            );
            context.Response.StatusCode = (int)response.StatusCode;
            Carried.From(response, context.Response);
            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
        catch (HttpRequestException)
        {
            throw new RefusedException(
                new ModelError(ErrorKind.Upstream, $"The provider '{name}' could not be reached.")
            );
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A response is not kept: {Reason}")]
    private partial void LogNotKept(string reason);
}
