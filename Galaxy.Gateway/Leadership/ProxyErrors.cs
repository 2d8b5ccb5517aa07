using Galaxy.Gateway.Replay;
using Galaxy.Gateway.Telemetry;
using Galaxy.ServiceDefaults.Cluster;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Galaxy.Gateway.Leadership;

/// <summary>What a client is told when no answer came from behind.</summary>
internal static class ProxyErrors
{
    /// <summary>
    /// What a coordinator says of a request that it did not answer as it should: <c>no</c> or <c>unknown</c>.
    /// </summary>
    private const string ExecutedHeader = "X-Galaxy-Executed";

    public static void UseProxyErrors(this IReverseProxyApplicationBuilder proxy)
    {
        var (hold, replayer) = (
            proxy.ApplicationServices.GetRequiredService<LeaderHold>(),
            proxy.ApplicationServices.GetRequiredService<Replayer>()
        );
        var metrics = proxy.ApplicationServices.GetRequiredService<GatewayMetrics>();
        var bodies = proxy.ApplicationServices.GetRequiredService<KeptBodies>();
        metrics.Observe(() => hold.Held, () => bodies.Kept);
        replayer.Replayed += () => metrics.Replays.Add(1);
        proxy.Use(next => context => ServeAsync(context, next, hold, replayer));
    }

    private static async Task ServeAsync(HttpContext context, RequestDelegate next, LeaderHold hold, Replayer replayer)
    {
        var hasRoom = await hold.WaitAsync(context);
        var feature = context.GetReverseProxyFeature();
        if (feature.AvailableDestinations.Count == 0)
        {
            context.Response.Headers.RetryAfter = "1";
            await Results
                .Problem(
                    hasRoom
                        ? Missing(context, feature.Route.Config.ClusterId!)
                        : "Too many requests wait for a leader already. Try again shortly.",
                    statusCode: 503,
                    title: "Unavailable"
                )
                .ExecuteAsync(context);
            return;
        }
        await replayer.RunAsync(context, next);
        if (context.Response.HasStarted || Replayer.Verdict(context) is not { } executed)
            return;
        var result = Explain(executed, context);
        // Of the answer that is not passed on, its headers may be here already.
        context.Response.Clear();
        context.Response.Headers.RetryAfter = "1";
        await result.ExecuteAsync(context);
    }

    private static string Missing(HttpContext context, string cluster) =>
        cluster
            is Routing.GatewayRoutes.Leader
                or Routing.GatewayRoutes.Reads
                or Routing.GatewayRoutes.Replicated
                or Routing.GatewayRoutes.Any
            ? context.RequestServices.GetRequiredService<ClusterWatcher>().Current.Reachable.IsEmpty
                ? "No coordinator can be reached. Try again shortly."
                : "There is no leader at the moment. Try again shortly."
            : $"No {cluster} service can be reached. Try again shortly.";

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
            foreach (var inner in (exception as AggregateException)?.InnerExceptions.SelectMany(Causes) ?? [])
                yield return inner;
        }
    }

    private static IResult Explain(Executed executed, HttpContext context)
    {
        var feature = context.GetForwarderErrorFeature();
        var error = feature?.Error;
        if (error == ForwarderError.RequestBodyClient)
        {
            var bad = Causes(feature!.Exception).OfType<BadHttpRequestException>().FirstOrDefault();
            return Results.Problem(
                bad?.Message ?? "The body of the request could not be read to its end.",
                statusCode: bad?.StatusCode ?? StatusCodes.Status400BadRequest
            );
        }
        var happened =
            executed == Executed.No ? "It was not executed."
            : HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
                ? "It may be repeated safely."
            : "Whether it was executed is unknown.";
        var extensions = new Dictionary<string, object?> { ["may_have_run"] = executed != Executed.No };
        return error is null
            ? Results.Problem(
                $"The leader changed while this was asked, and no other took it in time. {happened}",
                statusCode: 503,
                title: "Unavailable",
                extensions: extensions
            )
            : Results.Problem(
                $"The service behind the gateway broke off ({error}). {happened}",
                statusCode: 502,
                title: "Bad gateway",
                extensions: extensions
            );
    }

    /// <summary>
    /// A coordinator that did not carry a request out, or cannot say whether it did: the gateway may ask the next one.
    /// </summary>
    public static void AddLeaderBackstop(this TransformBuilderContext transforms) =>
        transforms.AddResponseTransform(response =>
        {
            if (response.ProxyResponse is not { } answer)
                return ValueTask.CompletedTask;
            var said = answer.Headers.TryGetValues(ExecutedHeader, out var values) ? values.First() : null;
            if ((int)answer.StatusCode == StatusCodes.Status421MisdirectedRequest || said is not null)
            {
                response.HttpContext.Items[Replayer.Refused] = said == "unknown" ? Executed.Perhaps : Executed.No;
                response.SuppressResponseBody = true;
            }
            return ValueTask.CompletedTask;
        });
}
