using Galaxy.Console.Otlp;
using Galaxy.Contracts.Otlp.Metrics;

namespace Galaxy.Console.Metrics;

/// <summary>From OTLP's data points to what is kept of them.</summary>
internal static class MetricReader
{
    private const int Delta = 1;
    private const int MostBuckets = 400;

    public static void Read(ExportMetricsServiceRequest request, MetricStore store)
    {
        foreach (var resource in request.ResourceMetrics)
        {
            var service = Attributes.Service(resource.Resource);
            foreach (
                var metric in resource
                    .ScopeMetrics.SelectMany(scope => scope.Metrics)
                    .Where(metric => metric.Name.Length > 0)
            )
                Read(metric, service, store);
        }
        store.Told();
    }

    private static void Read(Metric metric, string service, MetricStore store)
    {
        MetricName Named(string kind) =>
            new(
                service,
                StringPool.Of(Attributes.Cut(metric.Name)),
                StringPool.Of(Attributes.Cut(metric.Unit)),
                kind,
                StringPool.Of(Attributes.Cut(metric.Description))
            );
        switch (metric.DataCase)
        {
            case Metric.DataOneofCase.Gauge:
                Gauges(metric.Gauge.DataPoints, Named("gauge"));
                break;
            case Metric.DataOneofCase.Sum when !metric.Sum.IsMonotonic:
                Gauges(metric.Sum.DataPoints, Named("updown"));
                break;
            case Metric.DataOneofCase.Sum:
                foreach (var point in metric.Sum.DataPoints)
                    store.Add(
                        Named("counter"),
                        Attributes.Read(point.Attributes),
                        new Cumulative(
                            OtlpReader.Time(point.StartTimeUnixNano),
                            OtlpReader.Time(point.TimeUnixNano),
                            metric.Sum.AggregationTemporality == Delta,
                            Value(point)
                        )
                    );
                break;
            case Metric.DataOneofCase.Histogram:
                foreach (
                    var point in metric.Histogram.DataPoints.Where(point =>
                        point.BucketCounts.Count == point.ExplicitBounds.Count + 1
                        && point.BucketCounts.Count <= MostBuckets
                    )
                )
                    store.Add(
                        Named("histogram"),
                        Attributes.Read(point.Attributes),
                        Read(point, metric.Histogram.AggregationTemporality == Delta)
                    );
                break;
            case Metric.DataOneofCase.ExponentialHistogram:
                foreach (
                    var point in metric.ExponentialHistogram.DataPoints.Where(point =>
                        (point.Positive?.BucketCounts.Count ?? 0) <= MostBuckets
                    )
                )
                    store.Add(
                        Named("histogram"),
                        Attributes.Read(point.Attributes),
                        Read(point, metric.ExponentialHistogram.AggregationTemporality == Delta)
                    );
                break;
            case Metric.DataOneofCase.Summary:
                foreach (var point in metric.Summary.DataPoints)
                    store.AddGauge(
                        Named("summary"),
                        Attributes.Read(point.Attributes),
                        OtlpReader.Time(point.TimeUnixNano),
                        point.QuantileValues.MinBy(one => Math.Abs(one.Quantile - 0.5))?.Value ?? double.NaN
                    );
                break;
        }

        void Gauges(IEnumerable<NumberDataPoint> points, MetricName name)
        {
            foreach (var point in points)
                store.AddGauge(
                    name,
                    Attributes.Read(point.Attributes),
                    OtlpReader.Time(point.TimeUnixNano),
                    Value(point)
                );
        }
    }

    private static double Value(NumberDataPoint point) =>
        point.ValueCase == NumberDataPoint.ValueOneofCase.AsInt ? point.AsInt : point.AsDouble;

    private static Cumulative Read(HistogramDataPoint point, bool isDelta) =>
        new(
            OtlpReader.Time(point.StartTimeUnixNano),
            OtlpReader.Time(point.TimeUnixNano),
            isDelta,
            point.Count,
            [.. point.ExplicitBounds],
            [.. point.BucketCounts.Select(count => (double)count)]
        );

    // Buckets whose bounds are powers of a base. Those of negative values are left out: what is measured in systems is
    // not negative.
    private static Cumulative Read(ExponentialHistogramDataPoint point, bool isDelta)
    {
        var width = Math.Pow(2, Math.Pow(2, -Math.Clamp(point.Scale, -10, 20)));
        var offset = point.Positive?.Offset ?? 0;
        var counts = point.Positive?.BucketCounts.Select(count => (double)count).ToList() ?? [];
        var bounds = Enumerable.Range(0, counts.Count + 1).Select(i => Math.Pow(width, offset + i)).ToArray();
        return new Cumulative(
            OtlpReader.Time(point.StartTimeUnixNano),
            OtlpReader.Time(point.TimeUnixNano),
            isDelta,
            point.Count,
            bounds,
            [point.ZeroCount, .. counts, 0]
        );
    }
}
