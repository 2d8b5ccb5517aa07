using System.Text.Json.Nodes;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Anthropic;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Routing;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.OneApi.Http;

/// <summary>
/// The list of models, in OpenAI's shape, or in Anthropic's for clients that say <c>anthropic-version</c>.
/// </summary>
internal static class ModelsApi
{
    public static void MapModelsApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/v1/models", ListAsync)
            .KnowsCallers()
            .WithSummary("Every model that may be asked: of providers, of devices, routes by name, and 'auto'");
        endpoints
            .MapGet("/v1/models/{**id}", (string id, HttpContext context, Catalog catalog) =>
                OneAsync(context, catalog, Uri.UnescapeDataString(id))
            )
            .KnowsCallers()
            .WithSummary("One model");
    }

    /// <summary>What <c>/v1/models</c> shows. Thread-safe.</summary>
    internal sealed class Catalog(
        ProviderCatalog providers,
        ModelDirectory directory,
        ModelRules rules,
        ClusterWatcher cluster,
        Callers callers
    )
    {
        public async Task<List<(string Id, string Owner)>> ListAsync(HttpContext context)
        {
            var caller = await callers.IdentifyAsync(context.Request);
            var lists = await Task.WhenAll(
                providers.All.Select(async provider =>
                    (await directory.ListAsync(provider, context.RequestAborted)).Select(model =>
                        ($"{provider.Name}/{model}", provider.Name)
                    )
                )
            );
            IEnumerable<(string Id, string Owner)> all =
            [
                (EchoName.Full, ProviderCatalog.BuiltIn),
                (ModelRouter.Auto, ProviderCatalog.BuiltIn),
                .. rules.Current.Routes.Keys.Select(name => (name, "route")),
                .. cluster
                    .Current.Devices.Where(device =>
                        device.Capabilities.Any(capability => capability.Name == "llm.chat")
                    )
                    .Select(device => ($"{ProviderCatalog.Device}/{device.DeviceId}", device.DeviceId)),
                .. lists.SelectMany(list => list),
            ];
            return [.. all.Where(model => caller.May(model.Id))];
        }
    }

    private static bool IsAnthropic(HttpContext context) => context.Request.Headers.ContainsKey("anthropic-version");

    private static JsonObject Shape(HttpContext context, (string Id, string Owner) model) =>
        IsAnthropic(context)
            ? new JsonObject
            {
                ["type"] = "model",
                ["id"] = model.Id,
                ["display_name"] = model.Id,
                ["created_at"] = "1970-01-01T00:00:00Z",
            }
            : new JsonObject
            {
                ["id"] = model.Id,
                ["object"] = "model",
                ["created"] = 0,
                ["owned_by"] = model.Owner,
            };

    private static async Task ListAsync(HttpContext context, Catalog catalog) => await TryAsync(context, async () =>
        {
            var models = await catalog.ListAsync(context);
            var data = new JsonArray([.. models.Select(model => Shape(context, model))]);
            return IsAnthropic(context)
                ? new JsonObject
                {
                    ["data"] = data,
                    ["has_more"] = false,
                    ["first_id"] = models.Count > 0 ? models[0].Id : null,
                    ["last_id"] = models.Count > 0 ? models[^1].Id : null,
                }
                : new JsonObject { ["object"] = "list", ["data"] = data };
        });

    private static Task OneAsync(HttpContext context, Catalog catalog, string id) =>
        TryAsync(context, async () =>
            (await catalog.ListAsync(context)).FirstOrDefault(model => model.Id == id) is { Id: not null } found
                ? Shape(context, found)
                : throw new RefusedException(
                    new ModelError(
                        ErrorKind.NotFound,
                        $"There is no model '{id}'. GET /v1/models lists every model.",
                        "model"
                    )
                )
        );

    private static async Task TryAsync(HttpContext context, Func<Task<JsonObject>> answer)
    {
        try
        {
            var json = await answer();
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(json.ToJsonString(Sse.Json), context.RequestAborted);
        }
        catch (RefusedException refused)
        {
            await Errors.WriteAsync(
                context,
                IsAnthropic(context) ? new MessagesClient() : new ChatClient(TimeProvider.System),
                refused.Error
            );
        }
    }
}
