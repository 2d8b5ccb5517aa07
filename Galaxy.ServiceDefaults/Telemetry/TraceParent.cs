using System.Diagnostics;

namespace Galaxy.ServiceDefaults.Telemetry;

/// <summary>
/// W3C trace context as a string, for the channels that no instrumentation covers: leases, tasks, sockets.
/// </summary>
public static class TraceParent
{
    /// <summary>The current activity as a <c>traceparent</c>; empty when there is none.</summary>
    public static string Current => Of(Activity.Current);

    public static string Of(Activity? activity) =>
        activity is null ? "" : $"00-{activity.TraceId}-{activity.SpanId}-{(activity.Recorded ? "01" : "00")}";

    /// <summary>The context, or none when the text is not one.</summary>
    public static ActivityContext Parse(string? text) =>
        ActivityContext.TryParse(text, null, isRemote: true, out var context) ? context : default;

    /// <summary>
    /// Starts an activity under <paramref name="traceParent"/>; null when the source has no listener.
    /// </summary>
    public static Activity? Start(this ActivitySource source, string name, ActivityKind kind, string? traceParent) =>
        source.StartActivity(name, kind, Parse(traceParent));
}
