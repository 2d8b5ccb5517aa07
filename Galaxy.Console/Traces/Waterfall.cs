namespace Galaxy.Console.Traces;

/// <summary>One line of a waterfall.</summary>
/// <param name="LeftPercent">Where the bar begins, of the trace's duration.</param>
public sealed record WaterfallRow(SpanView Span, int Depth, double LeftPercent, double WidthPercent);

/// <summary>Orders a trace's spans as a tree, parents before children, siblings by start.</summary>
public static class Waterfall
{
    public static IReadOnlyList<WaterfallRow> Build(IReadOnlyList<SpanView> spans)
    {
        if (spans.Count == 0)
            return [];
        var start = spans.Min(span => span.Start);
        var total = Math.Max(
            0.001,
            (spans.Max(span => span.Start.AddMilliseconds(span.DurationMs)) - start).TotalMilliseconds
        );
        var known = spans.Select(span => span.SpanId).ToHashSet(StringComparer.Ordinal);
        // A span whose parent has not come (yet) stands at the top.
        var children = spans.ToLookup(span =>
            known.Contains(span.ParentId) && span.ParentId != span.SpanId ? span.ParentId : ""
        );
        var rows = new List<WaterfallRow>(spans.Count);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        Place("", 0);
        return rows;

        void Place(string parent, int depth)
        {
            foreach (var span in children[parent].OrderBy(span => span.Start))
            {
                if (!placed.Add(span.SpanId) || depth > 100)
                    continue;
                var left = (span.Start - start).TotalMilliseconds / total * 100;
                rows.Add(
                    new WaterfallRow(
                        span,
                        depth,
                        left,
                        Math.Clamp(span.DurationMs / total * 100, 0.2, 100 - Math.Min(left, 99.8))
                    )
                );
                Place(span.SpanId, depth + 1);
            }
        }
    }
}
