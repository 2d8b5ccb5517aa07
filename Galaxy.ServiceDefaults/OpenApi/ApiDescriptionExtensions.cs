using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Galaxy.ServiceDefaults.OpenApi;

/// <summary>A service's OpenAPI document, at <c>/openapi/{name}.json</c> once <c>MapOpenApi</c> is called.</summary>
public static class ApiDescriptionExtensions
{
    /// <param name="name">Of the document.</param>
    /// <param name="examples">Of the bodies that are not obvious: JSON by path.</param>
    public static void AddApiDescription(
        this IServiceCollection services,
        string name,
        string title,
        string description,
        IReadOnlyDictionary<string, string> examples
    ) => services.AddOpenApi(name, options =>
        {
            options.AddDocumentTransformer(
                (document, _, _) =>
                {
                    document.Info = new OpenApiInfo
                    {
                        Title = title,
                        Version = BuildVersion.Text,
                        Description = description,
                    };
                    return Task.CompletedTask;
                }
            );
            options.AddOperationTransformer(
                (operation, context, _) =>
                {
                    operation.AddExtension(
                        "x-galaxy-role",
                        new JsonNodeExtension(RoleOf(context.Description.ActionDescriptor.EndpointMetadata))
                    );
                    if (IsForViewers(context.Description.ActionDescriptor.EndpointMetadata))
                        operation.AddExtension("x-galaxy-viewer", new JsonNodeExtension(true));
                    var path = "/" + context.Description.RelativePath;
                    if (
                        !examples.TryGetValue(path.TrimEnd('/'), out var example)
                        || context.Description.HttpMethod is "GET" or "DELETE"
                    )
                        return Task.CompletedTask;
                    // An endpoint that reads its body by itself tells nothing of it.
                    operation.RequestBody ??= new OpenApiRequestBody
                    {
                        Required = true,
                        Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() },
                    };
                    if (operation.RequestBody.Content?.TryGetValue("application/json", out var body) == true)
                        body.Example = JsonNode.Parse(example);
                    return Task.CompletedTask;
                }
            );
        });

    private static bool IsForViewers(IList<object> metadata) =>
        metadata.OfType<ShownRole>().LastOrDefault()?.Reads
        ?? (
            metadata.OfType<RequiredRole>().LastOrDefault() is { } required
            && AccessRole.Viewer.May(required.Role, required.Reads)
        );

    private static string RoleOf(IList<object> metadata) =>
        metadata.OfType<ShownRole>().LastOrDefault()?.Role
        ?? (
            metadata.Any(one => one is IAllowAnonymous)
                ? "open"
                : metadata.OfType<RequiredRole>().LastOrDefault()?.Role.Name() ?? "admin"
        );
}

/// <summary>What the documents say of an endpoint that knows its callers by itself.</summary>
/// <param name="Reads">A viewer may, too.</param>
public sealed record ShownRole(string Role, bool Reads = false);
