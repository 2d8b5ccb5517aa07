namespace Galaxy.Console.Metrics;

/// <summary>What all points of a metric have in common.</summary>
public sealed record MetricName(string Service, string Name, string Unit, string Kind, string Description);

/// <summary>
/// The newest points of every series, in bounded memory: at most <see cref="MostSeries"/> series, of which the one that
/// was silent longest goes first, with <see cref="MostPoints"/> points each. Thread-safe.
/// </summary>
public sealed class MetricStore
{
    public const int MostSeries = 4_000;
    public const int MostPoints = 180;

    private sealed class Series(MetricName metric, IReadOnlyDictionary<string, string> attributes)
    {
        public MetricName Metric => metric;
        public IReadOnlyDictionary<string, string> Attributes => attributes;
        public Queue<MetricPoint> Points { get; } = new();
        public Cumulative? Before { get; set; }
        public long Turn { get; set; }
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);
    private long _turn;

    /// <summary>Raised after points came in; handlers must be quick.</summary>
    public event Action? Changed;

    public void Told() => Changed?.Invoke();

    /// <summary>A value as it is.</summary>
    public void AddGauge(
        MetricName metric,
        IReadOnlyDictionary<string, string> attributes,
        DateTimeOffset at,
        double value
    )
    {
        if (double.IsFinite(value))
            Append(metric, attributes, _ => new MetricPoint(at, value));
    }

    /// <summary>What has been counted since <paramref name="now"/> began, or since the report before.</summary>
    public void Add(MetricName metric, IReadOnlyDictionary<string, string> attributes, Cumulative now) =>
        Append(metric, attributes, series =>
        {
            var before = series.Before;
            series.Before = now;
            // Rates need two reports; a report of what happened since the last one is enough by itself.
            return now.Since(before)?.ToPoint();
        });

    private void Append(
        MetricName metric,
        IReadOnlyDictionary<string, string> attributes,
        Func<Series, MetricPoint?> make
    )
    {
        var key = KeyOf(metric, attributes);
        lock (_gate)
        {
            if (!_series.TryGetValue(key, out var series))
            {
                if (_series.Count >= MostSeries)
                    _series.Remove(_series.MinBy(pair => pair.Value.Turn).Key);
                _series[key] = series = new Series(metric, attributes);
            }
            series.Turn = ++_turn;
            if (make(series) is not { } point)
                return;
            series.Points.Enqueue(point);
            if (series.Points.Count > MostPoints)
                series.Points.Dequeue();
        }
    }

    private static string KeyOf(MetricName metric, IReadOnlyDictionary<string, string> attributes) =>
        $"{metric.Service}\n{metric.Name}\n{string.Join('\n', attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"))}";

    public IReadOnlyList<MetricView> List()
    {
        lock (_gate)
        {
            return
            [
                .. _series
                    .Values.GroupBy(series => (series.Metric.Service, series.Metric.Name))
                    .OrderBy(group => group.Key.Service, StringComparer.Ordinal)
                    .ThenBy(group => group.Key.Name, StringComparer.Ordinal)
                    .Select(group =>
                        group.First().Metric is var one
                            ? new MetricView(one.Service, one.Name, one.Unit, one.Kind, one.Description, group.Count())
                            : null!
                    ),
            ];
        }
    }

    /// <summary>Empty: it is not known.</summary>
    public IReadOnlyList<SeriesView> Get(string service, string name)
    {
        lock (_gate)
        {
            return
            [
                .. _series
                    .Values.Where(series => series.Metric.Service == service && series.Metric.Name == name)
                    .Select(series => new SeriesView(series.Attributes, [.. series.Points])),
            ];
        }
    }
}
