using Galaxy.Gateway.Routing;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Leadership;

/// <summary>
/// While there is no leader, or no destination is known yet, requests wait here for the next one: nothing of a waiting
/// request has been sent, so it cannot be executed twice.
/// </summary>
internal sealed class LeaderHold(IProxyStateLookup proxy, IOptionsMonitor<GatewayOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Youth = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private const int MostHeld = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<ClusterState?>> _searches = new(StringComparer.Ordinal);
    private readonly long _began = time.GetTimestamp();
    private int _held;

    /// <summary>
    /// Longer than any change of leader but for a store that is away, and shorter than a client's timeout.
    /// </summary>
    private TimeSpan Patience => options.CurrentValue.Hold;

    /// <summary>Requests that wait now.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>
    /// Returns when the leader can be reached, when the timeout is over, or at once, with false, when too many wait
    /// already.
    /// </summary>
    public async ValueTask<bool> WaitAsync(HttpContext context)
    {
        if (
            context.GetReverseProxyFeature()
                is not { AvailableDestinations.Count: 0, Route.Config.ClusterId: { } cluster }
            || !IsAwaited(cluster)
        )
            return true;
        try
        {
            if (Interlocked.Increment(ref _held) > MostHeld)
                return false;
            var began = time.GetTimestamp();
            var patience = Patience;
            while (time.GetElapsedTime(began) is var waited && waited < patience)
            {
                if (await Search(cluster).WaitAsync(patience - waited, time, context.RequestAborted) is { } found)
                {
                    context.ReassignProxyRequest(found);
                    return true;
                }
            }
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            // No destination appeared in time, or the client has disconnected.
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
        return true;
    }

    // Coordinators are always somewhere. Of the others a gateway that has just been started has not heard yet, or there
    // are none.
    private bool IsAwaited(string cluster) =>
        cluster is GatewayRoutes.Leader or GatewayRoutes.Reads or GatewayRoutes.Replicated or GatewayRoutes.Any
        || time.GetElapsedTime(_began) < Youth;

    // One search for all requests that wait for the same cluster.
    private Task<ClusterState?> Search(string cluster)
    {
        lock (_gate)
            return _searches.TryGetValue(cluster, out var search) && !search.IsCompleted
                ? search
                : _searches[cluster] = SearchAsync(cluster);
    }

    private async Task<ClusterState?> SearchAsync(string id)
    {
        var began = time.GetTimestamp();
        do
        {
            await Task.Delay(Glance, time);
            // The proxy takes a new leader up a moment after the watcher has heard of it.
            if (proxy.TryGetCluster(id, out var cluster) && cluster.DestinationsState.AvailableDestinations.Count > 0)
                return cluster;
        } while (time.GetElapsedTime(began) < Patience);
        return null;
    }
}
