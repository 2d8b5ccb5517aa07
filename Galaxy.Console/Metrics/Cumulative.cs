namespace Galaxy.Console.Metrics;

/// <summary>
/// Something that was counted from one time to another: a monotonic sum, or the buckets of a distribution.
/// </summary>
/// <param name="IsDelta">From the report before, rather than from the start of the program.</param>
/// <param name="Count">Of a sum: its value.</param>
/// <param name="Bounds">Upper bounds of the buckets, the last one open; null: there are no buckets.</param>
/// <param name="Buckets">One more than bounds.</param>
public sealed record Cumulative(
    DateTimeOffset From,
    DateTimeOffset To,
    bool IsDelta,
    double Count,
    double[]? Bounds = null,
    double[]? Buckets = null
)
{
    /// <summary>What was counted since an earlier report; null: that cannot be told, there is none.</summary>
    public Cumulative? Since(Cumulative? before)
    {
        if (IsDelta)
            return this;
        if (before is null || before.To >= To)
            return null;
        // The program began anew, or counts in other buckets now: all that it tells is new.
        if (
            before.Count > Count
            || before.Bounds?.Length != Bounds?.Length
            || (Bounds is not null && !Bounds.AsSpan().SequenceEqual(before.Bounds))
        )
            return this with { From = From > before.To ? From : before.To, IsDelta = true };
        return this with
        {
            From = before.To,
            IsDelta = true,
            Count = Count - before.Count,
            Buckets = Buckets is null
                ? null
                : [.. Buckets.Select((count, i) => Math.Max(0, count - before.Buckets![i]))],
        };
    }

    public MetricPoint? ToPoint()
    {
        var seconds = (To - From).TotalSeconds;
        if (seconds <= 0 || !double.IsFinite(Count))
            return null;
        if (Buckets is null || Bounds is null)
            return new MetricPoint(To, Count / seconds);
        return Count > 0 ? new MetricPoint(To, Quantile(0.5), Quantile(0.95), Count / seconds) : null;
    }

    /// <summary>By linear interpolation within the bucket; in the open one, its lower bound.</summary>
    private double Quantile(double share)
    {
        var total = Buckets!.Sum();
        var wanted = share * total;
        double seen = 0;
        for (var i = 0; i < Buckets!.Length; i++)
        {
            if (Buckets[i] <= 0 || seen + Buckets[i] < wanted)
            {
                seen += Buckets[i];
                continue;
            }
            var low = i == 0 ? Math.Min(0, Bounds!.Length > 0 ? Bounds[0] : 0) : Bounds![i - 1];
            return i >= Bounds!.Length ? low : low + (Bounds[i] - low) * (wanted - seen) / Buckets[i];
        }
        return Bounds!.Length == 0 ? 0 : Bounds[^1];
    }
}
