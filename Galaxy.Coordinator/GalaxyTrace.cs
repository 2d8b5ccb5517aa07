using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Galaxy.Coordinator;

/// <summary>The coordinator's spans and metrics.</summary>
internal static class GalaxyTrace
{
    public static readonly ActivitySource Source = new("Galaxy.Coordinator");
    private static readonly Meter Meter = new("Galaxy.Coordinator");

    public static readonly Counter<long> LeaseAcquired = Meter.CreateCounter<long>("galaxy.lease.acquired", "{lease}", "Leases this node acquired");
    public static readonly Histogram<double> FailoverDuration = Meter.CreateHistogram<double>("galaxy.failover.duration", "ms", "From the first notice to the new leader serving");
    public static readonly Counter<long> TasksSubmitted = Meter.CreateCounter<long>("galaxy.tasks.submitted", "{task}", "Tasks accepted");
    public static readonly Counter<long> TasksFinished = Meter.CreateCounter<long>("galaxy.tasks.finished", "{task}", "Tasks that ended, by state");
}
