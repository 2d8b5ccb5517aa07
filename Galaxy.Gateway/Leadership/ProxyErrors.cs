using Galaxy.ServiceDefaults.Cluster;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Galaxy.Gateway.Leadership;

/// <summary>What a client is told when no answer came from behind.</summary>
internal static class ProxyErrors
{
    public static void UseProxyErrors(this IReverseProxyApplicationBuilder proxy) => proxy.Use(async (context, next) =>
    {
        await context.RequestServices.GetRequiredService<LeaderHold>().WaitAsync(context);
        var feature = context.GetReverseProxyFeature();
        if (feature.AvailableDestinations.Count == 0)
        {
            context.Response.Headers.RetryAfter = "1";
            await Results.Problem(Missing(context, feature.Route.Config.ClusterId!), statusCode: 503, title: "Unavailable").ExecuteAsync(context);
            return;
        }
        await next(context);
        if (context.GetForwarderErrorFeature() is { } failure && !context.Response.HasStarted)
            await Explain(failure.Error, context).ExecuteAsync(context);
    });

    private static string Missing(HttpContext context, string cluster) =>
        cluster is Routing.GatewayRoutes.Leader or Routing.GatewayRoutes.Reads or Routing.GatewayRoutes.Replicated
            ? context.RequestServices.GetRequiredService<ClusterWatcher>().Current.Reachable.IsEmpty
                ? "No coordinator can be reached. Try again shortly."
                : "There is no leader at the moment. Try again shortly."
            : $"No {cluster} service can be reached. Try again shortly.";

    private static IResult Explain(ForwarderError error, HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        // A connection that was never made carried nothing; after that nobody knows.
        var executed = error is ForwarderError.NoAvailableDestinations or ForwarderError.RequestCreation
            ? "It was not executed."
            : HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
                ? "It may be repeated safely."
                : "Whether it was executed is unknown.";
        return Results.Problem($"The service behind the gateway broke off ({error}). {executed}", statusCode: 502, title: "Bad gateway");
    }

    /// <summary>A coordinator that is not the leader any more: the gateway's view is behind by a moment, so the client may simply repeat.</summary>
    public static void AddLeaderBackstop(this TransformBuilderContext transforms) => transforms.AddResponseTransform(response =>
    {
        if (response.ProxyResponse is { } answer && (int)answer.StatusCode == StatusCodes.Status421MisdirectedRequest)
        {
            response.HttpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            response.HttpContext.Response.Headers.RetryAfter = "1";
        }
        return ValueTask.CompletedTask;
    });
}
