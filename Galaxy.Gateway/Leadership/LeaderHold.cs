using Galaxy.Gateway.Routing;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Leadership;

/// <summary>
/// While there is no leader, requests for it wait here for the next one: nothing of them has been sent anywhere, so that nobody can
/// execute one twice.
/// </summary>
internal sealed class LeaderHold(IProxyStateLookup proxy, IOptionsMonitor<GatewayOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);
    private const int MostHeld = 1000;

    private readonly Lock _gate = new();
    private Task<ClusterState?> _search = Task.FromResult<ClusterState?>(null);
    private int _held;

    /// <summary>Longer than any change of leader but for a store that is away, and shorter than a client's patience.</summary>
    private TimeSpan Patience => options.CurrentValue.Hold;

    /// <summary>Requests that wait now.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Returns when the leader can be reached, when the patience is over, or at once, with false, when too many wait already.</summary>
    public async ValueTask<bool> WaitAsync(HttpContext context)
    {
        if (context.GetReverseProxyFeature() is not { AvailableDestinations.Count: 0, Route.Config.ClusterId: GatewayRoutes.Leader })
            return true;
        try
        {
            if (Interlocked.Increment(ref _held) > MostHeld)
                return false;
            var began = time.GetTimestamp();
            var patience = Patience;
            while (time.GetElapsedTime(began) is var waited && waited < patience)
            {
                if (await Search().WaitAsync(patience - waited, time, context.RequestAborted) is { } leader)
                {
                    context.ReassignProxyRequest(leader);
                    return true;
                }
            }
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            // Nobody, or nobody waits any more.
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
        return true;
    }

    // One look-out for all who wait.
    private Task<ClusterState?> Search()
    {
        lock (_gate)
            return _search.IsCompleted ? _search = SearchAsync() : _search;
    }

    private async Task<ClusterState?> SearchAsync()
    {
        var began = time.GetTimestamp();
        do
        {
            await Task.Delay(Glance, time);
            // The proxy takes a new leader up a moment after the watcher has heard of it.
            if (proxy.TryGetCluster(GatewayRoutes.Leader, out var cluster) && cluster.DestinationsState.AvailableDestinations.Count > 0)
                return cluster;
        }
        while (time.GetElapsedTime(began) < Patience);
        return null;
    }
}
