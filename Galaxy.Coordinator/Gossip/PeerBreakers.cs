using System.Collections.Concurrent;
using Galaxy.Core.Failover;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// One circuit breaker for each peer: what is pushed to a peer that keeps failing is not sent for a while. Thread-safe.
/// </summary>
internal sealed class PeerBreakers(IConfiguration configuration, TimeProvider time)
{
    private readonly BreakerSettings _settings = Read(configuration);
    private readonly ConcurrentDictionary<string, CircuitBreaker> _breakers = new(StringComparer.Ordinal);
    private readonly long _start = time.GetTimestamp();

    private TimeSpan Now => time.GetElapsedTime(_start);

    public IReadOnlyDictionary<string, string> States =>
        _breakers.ToDictionary(
            pair => pair.Key,
            pair =>
                pair.Value.StateAt(Now) switch
                {
                    BreakerState.Closed => "closed",
                    BreakerState.Open => "open",
                    _ => "half-open",
                }
        );

    public bool Allows(string peer) => !_breakers.TryGetValue(peer, out var breaker) || breaker.AllowsAt(Now);

    public void Failed(string peer) => Update(peer, breaker => breaker.Failed(Now));

    public void Succeeded(string peer) => Update(peer, breaker => breaker.Succeeded(Now));

    private void Update(string peer, Func<CircuitBreaker, CircuitBreaker> update) =>
        _breakers.AddOrUpdate(peer, _ => update(new CircuitBreaker(_settings)), (_, breaker) => update(breaker));

    // The report's names.
    private static BreakerSettings Read(IConfiguration configuration)
    {
        var defaults = new BreakerSettings();
        return defaults with
        {
            Failures = ServiceDefaults.Nodes.NodeOptionsReader.Whole(
                configuration,
                "NODE71_CB_FAILURE_THRESHOLD",
                defaults.Failures,
                1,
                1000
            ),
            OpenFor = TimeSpan.FromSeconds(
                ServiceDefaults.Nodes.NodeOptionsReader.Whole(
                    configuration,
                    "NODE71_CB_TIMEOUT",
                    (int)defaults.OpenFor.TotalSeconds,
                    1,
                    3600
                )
            ),
        };
    }
}
