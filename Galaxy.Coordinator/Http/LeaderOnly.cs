using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;

namespace Galaxy.Coordinator.Http;

/// <summary>Endpoints that only the leader may serve.</summary>
internal static class LeaderOnly
{
    /// <summary>
    /// Tells a gateway whether a request that failed may have been carried out all the same: <c>no</c> or
    /// <c>unknown</c>.
    /// </summary>
    private const string Executed = "X-Galaxy-Executed";

    /// <summary>Elsewhere: 421 with the leader's address and token, or 503 while there is none.</summary>
    public static RouteHandlerBuilder RequireLeader(this RouteHandlerBuilder endpoint) =>
        endpoint.AddEndpointFilter(
            async (invocation, next) =>
            {
                var context = invocation.HttpContext;
                var elector = context.RequestServices.GetRequiredService<Elector>();
                if (elector.CurrentToken is null)
                    return Refuse(context, elector);
                var result = await next(invocation);
                context.RequestServices.GetRequiredService<TermTrace>().Served(context.Request.Path);
                return result;
            }
        );

    public static IResult Refuse(HttpContext context, Elector elector)
    {
        if (elector.CurrentToken is null && elector.Leader is { } leader)
        {
            context.Response.Headers["X-Galaxy-Leader"] = leader.Url;
            context.Response.Headers["X-Galaxy-Token"] = $"{leader.Token}";
            return Results.Problem(
                $"The leader is {leader.Holder} at {leader.Url}.",
                statusCode: 421,
                title: "Not the leader"
            );
        }
        context.Response.Headers.RetryAfter = "1";
        context.Response.Headers[Executed] = "no";
        return Results.Problem(
            "There is no leader at the moment. Try again shortly.",
            statusCode: 503,
            title: "No leader"
        );
    }

    /// <summary>Turns a lost leadership or a lost store in the middle of a request into the same answers.</summary>
    public static void UseLeaderErrors(this WebApplication app) =>
        app.Use(
            async (context, next) =>
            {
                try
                {
                    await next(context);
                }
                catch (NotLeaderException) when (!context.Response.HasStarted)
                {
                    await Refuse(context, context.RequestServices.GetRequiredService<Elector>()).ExecuteAsync(context);
                }
                catch (StoreUnavailableException) when (!context.Response.HasStarted)
                {
                    context.Response.Headers.RetryAfter = "1";
                    context.Response.Headers[Executed] = "unknown";
                    await Results
                        .Problem(
                            "The store does not answer, so whether this was written is unknown. Try again shortly.",
                            statusCode: 503,
                            title: "Store unavailable"
                        )
                        .ExecuteAsync(context);
                }
            }
        );
}
