using Galaxy.Console.Metrics;

namespace Galaxy.Console.Tests.Metrics;

public sealed class CumulativeTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);

    private static Cumulative Sum(double seconds, double count, bool isDelta = false, double from = 0) =>
        new(Start.AddSeconds(from), Start.AddSeconds(seconds), isDelta, count);

    [Fact]
    public void A_counter_is_shown_per_second_between_two_reports()
    {
        Assert.Null(Sum(10, 100).Since(null));
        Assert.Equal(5, Sum(20, 150).Since(Sum(10, 100))!.ToPoint()!.Value.Value);
    }

    [Fact]
    public void A_program_that_began_anew_counts_from_its_start() =>
        Assert.Equal(2, Sum(20, 8, from: 16).Since(Sum(10, 100))!.ToPoint()!.Value.Value);

    [Fact]
    public void What_was_counted_since_the_last_report_needs_no_other() =>
        Assert.Equal(10, Sum(10, 50, isDelta: true, from: 5).Since(null)!.ToPoint()!.Value.Value);

    [Fact]
    public void The_same_report_twice_is_nothing_new() => Assert.Null(Sum(10, 100).Since(Sum(10, 100)));

    [Fact]
    public void Quantiles_lie_within_their_bucket()
    {
        var point = (new Cumulative(Start, Start.AddSeconds(10), true, 100, [10, 20, 50], [0, 50, 50, 0]))
            .ToPoint()!
            .Value;
        Assert.Equal((20.0, 47.0, 10.0), (point.Value, point.High!.Value, point.PerSecond!.Value));
        // In the open bucket nothing is known but its lower bound.
        Assert.Equal(
            50,
            new Cumulative(Start, Start.AddSeconds(1), true, 5, [10, 20, 50], [0, 0, 0, 5]).ToPoint()!.Value.Value
        );
        Assert.Null(new Cumulative(Start, Start.AddSeconds(1), true, 0, [10], [0, 0]).ToPoint());
    }

    [Fact]
    public void Distributions_are_those_of_the_interval()
    {
        var before = new Cumulative(Start, Start.AddSeconds(10), false, 100, [10, 20], [100, 0, 0]);
        var after = new Cumulative(Start, Start.AddSeconds(20), false, 110, [10, 20], [100, 10, 0]);
        Assert.Equal(15, after.Since(before)!.ToPoint()!.Value.Value);
    }

    [Fact]
    public void The_series_that_was_silent_longest_goes_first()
    {
        var store = new MetricStore();
        var metric = new MetricName("a", "m", "1", "gauge", "");
        for (var i = 0; i <= MetricStore.MostSeries; i++)
        {
            store.AddGauge(metric, new Dictionary<string, string> { ["n"] = $"{i}" }, Start, 1);
            store.AddGauge(metric, new Dictionary<string, string> { ["n"] = "0" }, Start, 1);
        }
        var kept = store.Get("a", "m").Select(series => series.Attributes["n"]).ToHashSet();
        Assert.Equal(MetricStore.MostSeries, kept.Count);
        Assert.Contains("0", kept);
        Assert.DoesNotContain("1", kept);
        Assert.Equal(
            MetricStore.MostPoints,
            store.Get("a", "m").Single(series => series.Attributes["n"] == "0").Points.Count
        );
    }
}
