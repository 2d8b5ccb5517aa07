using System.Runtime.CompilerServices;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Balancing;

/// <summary>
/// Puts a service aside that fails several times in a row, by broken connections or by 502, 503 and 504, for longer
/// each time that it happens again. Never more than half of them: if all fail it is not theirs (Envoy's outlier
/// detection).
/// </summary>
internal sealed class OutlierEjection(
    IOptionsMonitor<GatewayOptions> options,
    IDestinationHealthUpdater health,
    TimeProvider time
) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "OutlierEjection";
    private const int LongestGrowth = 10;

    private readonly ConditionalWeakTable<DestinationState, Record> _records = [];

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        // A client that left says nothing about the service.
        if (context.RequestAborted.IsCancellationRequested)
            return;
        var record = _records.GetOrCreateValue(destination);
        if (!HasFailed(context))
        {
            record.Failures = 0;
            return;
        }
        if (
            Interlocked.Increment(ref record.Failures) < options.CurrentValue.EjectAfterFailures
            || !MayEject(cluster, destination)
        )
            return;
        record.Failures = 0;
        var again =
            record.Ejected != 0
            && time.GetElapsedTime(record.Ejected)
                < TimeSpan.FromSeconds(options.CurrentValue.EjectSeconds * LongestGrowth * 2);
        (record.Times, record.Ejected) = (again ? Math.Min(record.Times + 1, LongestGrowth) : 1, time.GetTimestamp());
        health.SetPassive(
            cluster,
            destination,
            DestinationHealth.Unhealthy,
            TimeSpan.FromSeconds(options.CurrentValue.EjectSeconds) * record.Times
        );
    }

    private static bool HasFailed(HttpContext context) =>
        context.GetForwarderErrorFeature()
            is {
                Error: not (
                    ForwarderError.RequestCanceled
                    or ForwarderError.RequestBodyCanceled
                    or ForwarderError.ResponseBodyCanceled
                    or ForwarderError.UpgradeRequestCanceled
                    or ForwarderError.UpgradeResponseCanceled
                    or ForwarderError.RequestBodyClient
                )
            }
        || context.Response.StatusCode is 502 or 503 or 504;

    private static bool MayEject(ClusterState cluster, DestinationState destination)
    {
        var all = cluster.DestinationsState.AllDestinations;
        var aside = all.Count(one => one != destination && one.Health.Passive == DestinationHealth.Unhealthy);
        return all.Count > 1 && (aside + 1) * 2 <= all.Count;
    }

    private sealed class Record
    {
        public int Failures;
        public int Times;
        public long Ejected;
    }
}
