using System.Collections.Concurrent;
using Galaxy.Gateway.Routing;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Gateway.Leadership;

/// <summary>
/// Sockets and event streams to a leader end when another one leads. A leader that hands over or dies ends them itself;
/// one that hangs, or whose line is cut, leaves them open and silent, and what devices say would go nowhere. Clients
/// connect again and resume. Thread-safe.
/// </summary>
internal sealed class LeaderSockets(ClusterWatcher watcher, TimeProvider time) : BackgroundService
{
    // A leader that hands over closes its connections itself, in an orderly way: it gets this time to do so.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<HttpContext, string> _open = new();

    /// <summary>Forwards a request, and cuts it off if it is still there when another leads.</summary>
    public async Task ForwardAsync(HttpContext context, RequestDelegate next)
    {
        if (
            !IsLong(context)
            || context.GetReverseProxyFeature().Route.Config.ClusterId
                is not (GatewayRoutes.Leader or GatewayRoutes.Reads or GatewayRoutes.Replicated)
            || watcher.Current.UsableLeader is not { } leader
        )
        {
            await next(context);
            return;
        }
        _open[context] = leader.Boot;
        try
        {
            await next(context);
        }
        finally
        {
            _open.TryRemove(context, out _);
        }
    }

    private static bool IsLong(HttpContext context) =>
        CallerIdentifier.IsSocketUpgrade(context.Request)
        || context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
        || context.Request.Path.Value?.EndsWith("/watch", StringComparison.Ordinal) == true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var boot = "";
        await foreach (var view in watcher.Changes(stoppingToken))
        {
            if (view.UsableLeader is not { } leader || leader.Boot == boot)
                continue;
            boot = leader.Boot;
            _ = EndAsync(boot, stoppingToken);
        }
    }

    private async Task EndAsync(string leader, CancellationToken stopping)
    {
        await Task.Delay(Grace, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (context, boot) in _open)
        {
            if (boot != leader && watcher.Current.UsableLeader?.Boot == leader)
                context.Abort();
        }
    }
}
