using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;

namespace Galaxy.ServiceDefaults.Telemetry;

/// <summary>
/// Marks work that is not to be observed, such as a rehearsal: its spans are made as always and not exported. The mark
/// follows the flow of <c>await</c>, and over HTTP by the trace.
/// </summary>
public static class Unobserved
{
    // The few traces of one rehearsal; a bound all the same.
    private const int MostTraces = 10_000;

    private static readonly AsyncLocal<bool> Flow = new();
    private static readonly ConcurrentDictionary<ActivityTraceId, bool> Traces = new();

    /// <summary>True in the flow that called <see cref="Begin"/>, and in all that it started.</summary>
    public static bool Here => Flow.Value;

    /// <summary>From here on, in this flow and all that it starts.</summary>
    public static void Begin() => Flow.Value = true;

    internal static void Started(Activity activity)
    {
        if (Here && Traces.Count < MostTraces)
            Traces.TryAdd(activity.TraceId, true);
    }

    internal static bool Covers(Activity activity) => !Traces.IsEmpty && Traces.ContainsKey(activity.TraceId);
}

/// <summary>Keeps unobserved spans from the exporters, which come after it.</summary>
internal sealed class UnobservedSpans : BaseProcessor<Activity>
{
    public override void OnStart(Activity data) => Unobserved.Started(data);

    public override void OnEnd(Activity data)
    {
        if (Unobserved.Covers(data))
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
    }
}
