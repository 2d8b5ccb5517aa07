using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Router.Routing;

/// <summary>
/// Answers <c>GET /route/{capability}</c> of those who show the right key before the rest of the pipeline, which costs
/// as much as the answer. Everybody else, and every other path, goes through it.
/// </summary>
internal static class RouteFastPath
{
    private const string Prefix = "/route/";

    /// <summary>Before everything else.</summary>
    public static void UseRouteFastPath(this WebApplication app)
    {
        var (table, callers) = (
            app.Services.GetRequiredService<RouterTable>(),
            app.Services.GetRequiredService<CallerIdentifier>()
        );
        app.Use(next =>
            context =>
            {
                var path = context.Request.Path.Value;
                if (
                    path is null
                    || path.Length <= Prefix.Length
                    || !path.StartsWith(Prefix, StringComparison.Ordinal)
                    || path.AsSpan(Prefix.Length).Contains('/')
                    || !HttpMethods.IsGet(context.Request.Method)
                )
                    return next(context);
                if (!callers.Identify(context.Request).May(AccessRole.Member))
                    // No token of a service is ever right twice, but one that was wrong here is wrong there, too.
                    return next(context);
                return RouteApi.AnswerAsync(context, table, path[Prefix.Length..]);
            }
        );
        // Otherwise the library puts it first.
        app.UseRouting();
    }
}
