namespace Galaxy.Console.Metrics;

/// <summary>A metric in the list.</summary>
/// <param name="Kind"><c>gauge</c>, <c>counter</c> (shown per second), <c>updown</c>, <c>histogram</c> or
/// <c>summary</c>.</param>
/// <param name="Series">Combinations of attributes.</param>
public sealed record MetricView(string Service, string Name, string Unit, string Kind, string Description, int Series);

/// <summary>One combination of attributes, with its newest points, oldest first.</summary>
public sealed record SeriesView(IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<MetricPoint> Points);

/// <param name="Value">Of a gauge, as it is; of a counter, the increase per second since the point before; of a
/// distribution, its median since then.</param>
/// <param name="High">Of a distribution: the 95th percentile.</param>
/// <param name="PerSecond">Of a distribution: how many values a second.</param>
public readonly record struct MetricPoint(
    DateTimeOffset At,
    double Value,
    double? High = null,
    double? PerSecond = null
);
