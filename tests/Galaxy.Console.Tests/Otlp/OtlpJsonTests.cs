using System.Text;
using System.Text.Json;
using Galaxy.Console.Metrics;
using Galaxy.Console.Otlp;
using Galaxy.Contracts.Otlp;
using Galaxy.Contracts.Otlp.Logs;
using Galaxy.Contracts.Otlp.Metrics;
using Google.Protobuf;

namespace Galaxy.Console.Tests.Otlp;

public sealed class OtlpJsonTests
{
    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public void Ids_are_hexadecimal_numbers_may_be_texts_and_unknown_fields_are_skipped()
    {
        var request = OtlpJson.Parse<ExportTraceServiceRequest>(
            Utf8(
                """
                {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
                  "scopeSpans":[{"spans":[{
                  "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"",
                    "name":"pay","kind":3,"flags":257,"fromTheFuture":[1],
                  "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,
                  "attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"list",
                    "value":{"arrayValue":{"values":[{"stringValue":"a"},{"boolValue":true}]}}}],
                  "events":[{"timeUnixNano":"1544712660500000000","name":"exception"}],"status":{"code":2,
                    "message":"no"}}]}]}]}
                """
            )
        );
        var span = Assert.Single(OtlpReader.Read(request));
        Assert.Equal(
            ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "", "client", 1000.0, true),
            (span.TraceId, span.SpanId, span.ParentId, span.Kind, span.DurationMs, span.Failed)
        );
        Assert.Equal(("7", "[a, true]"), (span.Attributes["n"], span.Attributes["list"]));
        Assert.Equal(500, Assert.Single(span.Events).OffsetMs);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"xyz\"}]}]}]}")]
    [InlineData("{\"resourceSpans\":{}}")]
    [InlineData("{")]
    public void What_is_no_such_request_is_refused_and_nothing_breaks(string text)
    {
        var failure = Assert.ThrowsAny<Exception>(() => OtlpJson.Parse<ExportTraceServiceRequest>(Utf8(text)));
        Assert.True(
            failure
                is InvalidProtocolBufferException
                    or InvalidDataException
                    or JsonException
                    or FormatException
                    or InvalidOperationException,
            failure.GetType().Name
        );
    }

    [Fact]
    public void A_log_without_a_time_of_its_own_has_that_of_its_collection_or_of_now()
    {
        var now = new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);
        var request = OtlpJson.Parse<ExportLogsServiceRequest>(
            Utf8(
                """
                {"resourceLogs":[{"scopeLogs":[{"scope":{"name":"app"},"logRecords":[
                  {"observedTimeUnixNano":"1544712660000000000","severityNumber":17,"body":{"stringValue":"broken"},
                    "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"},
                  {"severityText":"Warn","body":{"kvlistValue":{"values":[{"key":"a",
                    "value":{"stringValue":"b"}}]}}}]}]}]}
                """
            )
        );
        var logs = OtlpReader.Read(request, now).ToList();
        Assert.Equal(
            (2018, "error", "broken", "5b8efff798038103d269b633813fc60c", "unknown", "app"),
            (logs[0].Time.Year, logs[0].Level, logs[0].Message, logs[0].TraceId, logs[0].Service, logs[0].Logger)
        );
        Assert.Equal((now, "warn"), (logs[1].Time, logs[1].Level));
        Assert.Contains("\"a\"", logs[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_of_every_kind_are_read()
    {
        var store = new MetricStore();
        MetricReader.Read(
            OtlpJson.Parse<ExportMetricsServiceRequest>(
                Utf8(
                    """
                    {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name",
                      "value":{"stringValue":"shop"}}]},"scopeMetrics":[{"metrics":[
                      {"name":"g","unit":"By","gauge":{"dataPoints":[{"timeUnixNano":"2000000000","asInt":"42"}]}},
                      {"name":"u","sum":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"2000000000",
                        "asDouble":-1.5}]}},
                      {"name":"c","sum":{"isMonotonic":true,"aggregationTemporality":1,
                        "dataPoints":[{"startTimeUnixNano":"1000000000","timeUnixNano":"3000000000","asInt":"10"}]}},
                      {"name":"h","histogram":{"aggregationTemporality":1,
                        "dataPoints":[{"startTimeUnixNano":"1000000000","timeUnixNano":"3000000000","count":"4",
                        "sum":4,"bucketCounts":["0","4"],"explicitBounds":[1]}]}},
                      {"name":"e","exponentialHistogram":{"aggregationTemporality":1,
                        "dataPoints":[{"startTimeUnixNano":"1000000000","timeUnixNano":"3000000000","count":"2",
                        "scale":0,"zeroCount":"0","positive":{"offset":2,"bucketCounts":["2"]}}]}},
                      {"name":"s","summary":{"dataPoints":[{"timeUnixNano":"2000000000","count":"1","sum":1,
                        "quantileValues":[{"quantile":0.5,"value":3},{"quantile":0.99,"value":9}]}]}},
                      {"name":"bad","histogram":{"aggregationTemporality":1,
                        "dataPoints":[{"timeUnixNano":"3000000000","count":"4","bucketCounts":["1"],
                        "explicitBounds":[1]}]}}]}]}]}
                    """
                )
            ),
            store
        );
        double Of(string name) => store.Get("shop", name)[0].Points[^1].Value;
        Assert.Equal((42, -1.5, 5, 1, 3), (Of("g"), Of("u"), Of("c"), Of("h"), Of("s")));
        // Its bucket reaches from four to eight.
        Assert.InRange(Of("e"), 4, 8);
        Assert.Empty(store.Get("shop", "bad"));
        Assert.Equal(
            ["counter", "histogram", "gauge", "histogram", "summary", "updown"],
            store.List().OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => one.Kind)
        );
    }
}
