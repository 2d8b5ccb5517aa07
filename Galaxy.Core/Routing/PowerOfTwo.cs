namespace Galaxy.Core.Routing;

/// <summary>
/// The better of two random targets (Mitzenmacher, "The power of two choices", 2001), by expected wait: measured
/// latency times what is waiting there. Comparing only two keeps callers from all choosing the target that was best a
/// moment ago.
/// </summary>
internal sealed class PowerOfTwo : IRouteStrategy
{
    public string Name => "adaptive";

    public int Choose(Candidates candidates, in RouteQuery query, ReadOnlySpan<int> skip, Random random, TimeSpan now)
    {
        var first = RandomChoice.Any(candidates, skip, random);
        if (first < 0 || candidates.Count - skip.Length < 2)
            return first;
        Span<int> others = stackalloc int[skip.Length + 1];
        skip.CopyTo(others);
        others[^1] = first;
        var second = skip.IsEmpty
            ? (first + 1 + random.Next(candidates.Count - 1)) % candidates.Count
            : RandomChoice.Any(candidates, others, random);
        return Score(candidates, second, query, now) < Score(candidates, first, query, now) ? second : first;
    }

    public double Score(Candidates candidates, int index, in RouteQuery query, TimeSpan now)
    {
        // A target without a measured latency counts as 1 ms: it is tried soon, and not by all callers at once.
        var latency = candidates.State(index).LatencyAt(now) is > 0 and var known ? known : 1;
        return latency * (1 + (candidates.LoadAt(index) * candidates.Targets[index].Slots));
    }
}
