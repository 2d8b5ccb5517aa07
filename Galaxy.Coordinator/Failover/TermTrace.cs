using System.Diagnostics;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// The end of a failover's trace, which comes after its record: the first device that is back, and the first request
/// that the new leader served. Thread-safe.
/// </summary>
internal sealed class TermTrace
{
    private readonly TimeProvider _time;
    private Term? _resumes;
    private Term? _serves;

    public TermTrace(Elector elector, DeviceHub hub, TimeProvider time)
    {
        _time = time;
        elector.BecameLeader += Begin;
        hub.Joined += device => Close(ref _resumes, "workers resumed", "galaxy.device.id", device.DeviceId);
    }

    private void Begin(LeaseRecord lease)
    {
        if (lease.TraceParent.Length == 0)
            return;
        _resumes = new Term(lease, _time.GetUtcNow());
        _serves = new Term(lease, _time.GetUtcNow());
    }

    /// <summary>A request that only the leader may serve was served.</summary>
    public void Served(string path) => Close(ref _serves, "first request served", "url.path", path);

    private static void Close(ref Term? term, string name, string tag, string value)
    {
        if (term is null || Interlocked.Exchange(ref term, null) is not { } ends)
            return;
        using var activity = GalaxyTrace.Source.StartActivity(
            name,
            ActivityKind.Internal,
            TraceParent.Parse(ends.Lease.TraceParent),
            startTime: ends.Began
        );
        activity?.SetTag("galaxy.token", ends.Lease.Token);
        activity?.SetTag(tag, value);
    }

    private sealed record Term(LeaseRecord Lease, DateTimeOffset Began);
}
