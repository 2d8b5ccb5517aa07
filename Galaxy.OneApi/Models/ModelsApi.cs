using Galaxy.OneApi.Errors;

namespace Galaxy.OneApi.Models;

internal static class ModelsApi
{
    public static void MapModelsApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v1/models", async (ModelDirectory models, CancellationToken cancellation) =>
            Results.Ok(new { @object = "list", data = (await models.ListAsync(cancellation)).Select(Shape) })).WithSummary("Every model of every configured provider");
        endpoints.MapGet("/v1/models/{**id}", async (string id, ModelDirectory models, CancellationToken cancellation) =>
            (await models.ListAsync(cancellation)).FirstOrDefault(model => model.Id == id) is { Id: not null } found
                ? Results.Ok(Shape(found))
                : OpenAiError.UnknownModel(id, models.ProviderNames));
    }

    private static object Shape((string Id, string Owner) model) => new { id = model.Id, @object = "model", created = 0, owned_by = model.Owner };
}
