using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Router.Routing;

/// <summary>
/// Answers <c>GET /route/{capability}</c> of those who show the right key before the rest of the pipeline, which costs as much as the answer.
/// Everybody else, and every other path, goes through it.
/// </summary>
internal static class RouteFastPath
{
    private const string Prefix = "/route/";

    /// <summary>Before everything else.</summary>
    public static void UseRouteFastPath(this WebApplication app)
    {
        var (table, node) = (app.Services.GetRequiredService<RouterTable>(), app.Services.GetRequiredService<NodeOptions>());
        app.Use(next => context =>
        {
            var path = context.Request.Path.Value;
            if (path is null || path.Length <= Prefix.Length || !path.StartsWith(Prefix, StringComparison.Ordinal) || path.AsSpan(Prefix.Length).Contains('/')
                || !HttpMethods.IsGet(context.Request.Method) || !ApiKeyAuthenticationHandler.IsAllowed(context.Request, node))
                return next(context);
            return RouteApi.AnswerAsync(context, table, path[Prefix.Length..]);
        });
        // Otherwise the library puts it first.
        app.UseRouting();
    }
}
