using System.Diagnostics.Metrics;

namespace Galaxy.Router.Telemetry;

/// <summary>Metrics of invocations.</summary>
internal static class RouterMetrics
{
    private static readonly Meter Meter = new("Galaxy.Router");

    /// <summary>By capability and outcome: <c>answered</c>, <c>done</c> (by a device) or <c>failed</c>.</summary>
    public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "galaxy.invoke.duration",
        "s",
        "From the request to the head of its answer"
    );

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "galaxy.invoke.retries",
        "{request}",
        "Requests that were sent again to another target"
    );
    public static readonly Counter<long> Hedges = Meter.CreateCounter<long>(
        "galaxy.invoke.hedges",
        "{request}",
        "Requests that were sent to a second target because the first was slow"
    );
    public static readonly Counter<long> Ejections = Meter.CreateCounter<long>(
        "galaxy.router.ejections",
        "{target}",
        "Targets that were ejected because they failed"
    );
}
