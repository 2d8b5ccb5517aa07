using Galaxy.Console.Traces;

namespace Galaxy.Console.Tests.Traces;

public sealed class TraceStoreTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);

    internal static SpanView Span(
        string trace,
        string span,
        string parent = "",
        double from = 0,
        double took = 1,
        string service = "a",
        bool failed = false,
        int attribute = 0
    ) =>
        new(
            trace,
            span,
            parent,
            "span " + span,
            service,
            "internal",
            Start.AddMilliseconds(from),
            took,
            failed,
            "",
            new Dictionary<string, string> { ["text"] = new('x', attribute) }
        );

    [Fact]
    public void The_oldest_traces_go_when_there_are_too_many()
    {
        var store = new TraceStore();
        for (var i = 0; i < TraceStore.MaxTraces + 10; i++)
            store.Add([Span($"t{i}", "s", service: i < 10 ? "gone" : "here")]);
        Assert.Equal(["here"], store.Services);
        Assert.Equal((0, 1), (store.CountOf("t9"), store.CountOf("t10")));
        Assert.Empty(store.Get("t9"));
        Assert.Single(store.Get("t10"));
        Assert.Equal($"t{TraceStore.MaxTraces + 9}", store.List(1)[0].TraceId);
    }

    [Fact]
    public void Large_attributes_are_counted_so_that_memory_is_bounded()
    {
        var store = new TraceStore();
        const int Each = 100_000;
        for (var i = 0; i < 1000; i++)
            store.Add([Span($"t{i}", "s", attribute: Each)]);
        var kept = store.List(1000).Count;
        Assert.InRange(kept, 1, (int)(TraceStore.MaxBytes / (2 * Each)));
        Assert.True(kept > 200, $"{kept} kept");
    }

    [Fact]
    public void A_summary_names_the_root_the_services_and_the_failure()
    {
        var store = new TraceStore();
        store.Add([
            Span("t", "child", "root", from: 5, took: 20, service: "b", failed: true),
            Span("t", "root", took: 10),
        ]);
        var summary = Assert.Single(store.List(10));
        Assert.Equal(("span root", 25.0, 2, true), (summary.Name, summary.DurationMs, summary.Spans, summary.Failed));
        Assert.Equal(["a", "b"], summary.Services);
    }

    [Fact]
    public void Filters_look_at_every_span_of_a_trace()
    {
        var store = new TraceStore();
        store.Add([Span("one", "x", service: "shop"), Span("one", "y", failed: true), Span("two", "z", took: 500)]);
        string[] Ids(TraceQuery query) => [.. store.List(10, query).Select(trace => trace.TraceId)];
        Assert.Equal(["one"], Ids(new TraceQuery(Service: "shop")));
        Assert.Equal(["one"], Ids(new TraceQuery(FailedOnly: true)));
        Assert.Equal(["two"], Ids(new TraceQuery(LeastMs: 100)));
        Assert.Equal(["two"], Ids(new TraceQuery(Text: "SPAN Z")));
    }

    [Fact]
    public void A_waterfall_puts_children_below_parents_and_survives_circles_and_orphans()
    {
        var rows = Waterfall.Build([
            Span("t", "root", took: 100),
            Span("t", "b", "root", from: 50),
            Span("t", "a", "root", from: 10),
            Span("t", "deep", "a", from: 11),
            Span("t", "orphan", "nobody", from: 60),
            Span("t", "own", "own", from: 70),
        ]);
        Assert.Equal(
            [("root", 0), ("a", 1), ("deep", 2), ("b", 1), ("orphan", 0), ("own", 0)],
            rows.Select(row => (row.Span.SpanId, row.Depth))
        );
        Assert.Equal(10, rows[1].LeftPercent, 3);
        // Two that name each other as parent belong to no root; nothing hangs.
        Assert.Empty(Waterfall.Build([Span("t", "x", "y"), Span("t", "y", "x")]));
    }
}
