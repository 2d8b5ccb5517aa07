using Galaxy.Gateway.Routing;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Replay;

/// <summary>What is known of a request that was not answered.</summary>
internal enum Executed
{
    /// <summary>Nothing of it was carried out.</summary>
    No,

    /// <summary>It may have been carried out.</summary>
    Perhaps,
}

/// <summary>
/// Sends a request again that was not answered, where that cannot do it twice: always when nothing of it was carried
/// out, otherwise when its method is idempotent (RFC 9110, 9.2.2) or it has an Idempotency-Key. Thread-safe.
/// </summary>
internal sealed class Replayer(
    KeptBodies bodies,
    IProxyStateLookup proxy,
    IOptionsMonitor<GatewayOptions> options,
    TimeProvider time
)
{
    /// <summary>Set by the response transform when a service said that it did not carry it out.</summary>
    public static readonly object Refused = new();

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>A request is sent once more.</summary>
    public event Action? Replayed;

    private TimeSpan Patience => options.CurrentValue.Hold;

    public Task RunAsync(HttpContext context, RequestDelegate forward) =>
        context.Request.ContentLength is not (null or 0) || context.Request.Headers.TransferEncoding.Count > 0
            ? KeepAndRunAsync(context, forward)
            : RunAsync(context, forward, canRepeat: true, null);

    private async Task KeepAndRunAsync(HttpContext context, RequestDelegate forward)
    {
        using var body = await bodies.TryKeepAsync(context.Request);
        await RunAsync(context, forward, canRepeat: body is not null, body);
    }

    private async Task RunAsync(HttpContext context, RequestDelegate forward, bool canRepeat, KeptBody? body)
    {
        var began = time.GetTimestamp();
        HashSet<string>? failed = null;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (body is not null)
                context.Request.Body = body.Open();
            await forward(context);
            if (
                context.Response.HasStarted
                || context.RequestAborted.IsCancellationRequested
                || Verdict(context) is not { } executed
            )
                return;
            if (
                !canRepeat
                || (executed == Executed.Perhaps && !IsIdempotent(context.Request))
                || time.GetElapsedTime(began) > Patience
            )
                return;
            if (context.GetReverseProxyFeature().ProxiedDestination is { } last)
                (failed ??= new(StringComparer.Ordinal)).Add(last.DestinationId);
            await Task.Delay(pause, time, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (
                context.RequestAborted.IsCancellationRequested
                || !await NextAsync(context, failed ??= new(StringComparer.Ordinal), began)
            )
                return;
            Replayed?.Invoke();
        }
    }

    /// <summary>Null: it was answered.</summary>
    public static Executed? Verdict(HttpContext context)
    {
        if (context.Items[Refused] is Executed said)
            return said;
        return context.GetForwarderErrorFeature() switch
        {
            null => null,
            { Error: ForwarderError.NoAvailableDestinations or ForwarderError.RequestCreation } => Executed.No,
            // A connection that was never made carried nothing.
            {
                Exception: HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                }
            } => Executed.No,
            _ => Executed.Perhaps,
        };
    }

    private static bool IsIdempotent(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        || HttpMethods.IsHead(request.Method)
        || HttpMethods.IsOptions(request.Method)
        || request.Headers.ContainsKey("Idempotency-Key")
        // With If-Match, the repeated request would take the change made by the first one for the change of another
        // client.
        || (
            (HttpMethods.IsPut(request.Method) || HttpMethods.IsDelete(request.Method))
            && !request.Headers.ContainsKey("If-Match")
        );

    /// <summary>
    /// The destinations that have not failed yet; before a failed one is asked again, also destinations that are
    /// considered unavailable: they may be back already.
    /// </summary>
    private static List<DestinationState> Others(ClusterState cluster, HashSet<string> failed)
    {
        var others = cluster
            .DestinationsState.AvailableDestinations.Where(one => !failed.Contains(one.DestinationId))
            .ToList();
        if (others.Count > 0)
            return others;
        others = [.. cluster.DestinationsState.AllDestinations.Where(one => !failed.Contains(one.DestinationId))];
        // All of them have failed: from the beginning.
        if (others.Count == 0)
            failed.Clear();
        return others;
    }

    /// <summary>
    /// Selects all destinations that are available now, except those that have just failed. There is only one leader,
    /// and it may come back, so it is not excepted.
    /// </summary>
    private async Task<bool> NextAsync(HttpContext context, HashSet<string> failed, long began)
    {
        var id = context.GetReverseProxyFeature().Route.Config.ClusterId!;
        while (true)
        {
            if (
                proxy.TryGetCluster(id, out var cluster)
                && cluster.DestinationsState.AvailableDestinations is { Count: > 0 } all
            )
            {
                context.Items.Remove(Refused);
                context.Features.Set<IForwarderErrorFeature>(null);
                context.Response.Clear();
                context.ReassignProxyRequest(cluster);
                if (id != GatewayRoutes.Leader && Others(cluster, failed) is { Count: > 0 } others)
                    context.GetReverseProxyFeature().AvailableDestinations = others;
                return true;
            }
            if (time.GetElapsedTime(began) > Patience || context.RequestAborted.IsCancellationRequested)
                return false;
            await Task.Delay(LongestPause, time, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
