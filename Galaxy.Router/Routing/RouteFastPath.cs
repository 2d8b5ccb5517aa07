using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Router.Routing;

/// <summary>
/// Answers <c>GET /route/{capability}</c> to callers with the right key before the rest of the pipeline, which costs as
/// much as the answer. All other callers, and every other path, go through it.
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
                    // A service token is accepted once only, but one that was refused here is refused there, too.
                    return next(context);
                return RouteApi.AnswerAsync(context, table, path[Prefix.Length..]);
            }
        );
        // Otherwise the library puts it first.
        app.UseRouting();
    }
}
