using System.Diagnostics;
using System.Diagnostics.Metrics;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Node;

/// <summary>The coordinator's spans and metrics.</summary>
internal static class GalaxyTrace
{
    public static readonly ActivitySource Source = new("Galaxy.Coordinator");
    private static readonly Meter Meter = new("Galaxy.Coordinator");

    private static readonly Counter<long> Acquired = Meter.CreateCounter<long>(
        "galaxy.lease.acquired",
        "{lease}",
        "Leases this node acquired"
    );
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "galaxy.failover.duration",
        "ms",
        "From the first notice to the new leader serving"
    );
    private static readonly Counter<long> Submitted = Meter.CreateCounter<long>(
        "galaxy.tasks.submitted",
        "{task}",
        "Tasks accepted"
    );
    private static readonly Counter<long> Finished = Meter.CreateCounter<long>(
        "galaxy.tasks.finished",
        "{task}",
        "Tasks that ended, by state"
    );

    public static void LeaseAcquired()
    {
        if (!Unobserved.Here)
            Acquired.Add(1);
    }

    public static void FailoverTook(double milliseconds)
    {
        if (!Unobserved.Here)
            Duration.Record(milliseconds);
    }

    public static void TaskSubmitted()
    {
        if (!Unobserved.Here)
            Submitted.Add(1);
    }

    public static void TaskFinished(string state)
    {
        if (!Unobserved.Here)
            Finished.Add(1, new KeyValuePair<string, object?>("state", state));
    }
}
