using System.Runtime.CompilerServices;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Balancing;

/// <summary>
/// Power of two choices: picks two and returns the less busy one, which avoids both the herd on the least loaded and
/// the bad luck of one choice. A service that came anew, or is healthy again, gets less than its share at first: its
/// caches and its compiled code are cold.
/// </summary>
internal sealed class SlowStart(IOptionsMonitor<GatewayOptions> options, TimeProvider time, Random random)
    : ILoadBalancingPolicy
{
    public const string PolicyName = "SlowStart";

    private const double Least = 0.1;
    private static readonly TimeSpan Absence = TimeSpan.FromSeconds(2);

    private readonly ConditionalWeakTable<DestinationState, Since> _since = [];

    public string Name => PolicyName;

    public DestinationState? PickDestination(
        HttpContext context,
        ClusterState cluster,
        IReadOnlyList<DestinationState> availableDestinations
    )
    {
        var count = availableDestinations.Count;
        if (count <= 1)
            return count == 0 ? null : availableDestinations[0];
        var first = availableDestinations[random.Next(count)];
        // Of two different ones.
        var other = random.Next(count - 1);
        var second =
            availableDestinations[other] == first ? availableDestinations[count - 1] : availableDestinations[other];
        var (one, two) = (Weight(first), Weight(second));
        if (one >= two && two >= one)
            return first.ConcurrentRequestCount <= second.ConcurrentRequestCount ? first : second;
        // The busier one loses, and weight counts against load.
        var (loadOne, loadTwo) = ((first.ConcurrentRequestCount + 1) / one, (second.ConcurrentRequestCount + 1) / two);
        return random.NextDouble() * (loadOne + loadTwo) < loadTwo ? first : second;
    }

    /// <summary>1, or less within the first seconds after it could not be picked for a while.</summary>
    private double Weight(DestinationState destination)
    {
        var slow = options.CurrentValue.SlowStartSeconds;
        if (slow <= 0)
            return 1;
        var since = _since.GetOrCreateValue(destination);
        var now = time.GetTimestamp();
        // When requests are rare, all destinations look new and have equal weight.
        if (since.Weighed == 0 || time.GetElapsedTime(since.Weighed, now) > Absence)
            since.Began = now;
        since.Weighed = now;
        return Math.Clamp(time.GetElapsedTime(since.Began, now).TotalSeconds / slow, Least, 1);
    }

    private sealed class Since
    {
        public long Began;
        public long Weighed;
    }
}
