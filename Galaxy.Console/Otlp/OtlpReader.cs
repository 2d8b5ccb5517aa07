using Galaxy.Console.Logs;
using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;
using Galaxy.Contracts.Otlp.Logs;

namespace Galaxy.Console.Otlp;

/// <summary>
/// Turns OTLP messages into what the console keeps. Spans with ids of the wrong length are left out, as the protocol
/// asks.
/// </summary>
internal static class OtlpReader
{
    private const int MostEvents = 32;
    private const int MostBody = 8192;
    private static readonly string[] Kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

    public static IEnumerable<SpanView> Read(ExportTraceServiceRequest request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var service = Attributes.Service(resource.Resource);
            foreach (
                var span in resource
                    .ScopeSpans.SelectMany(scope => scope.Spans)
                    .Where(span => span.TraceId.Length == 16 && span.SpanId.Length == 8)
            )
                yield return Read(span, service);
        }
    }

    private static SpanView Read(Span span, string service) =>
        new(
            Hex(span.TraceId),
            Hex(span.SpanId),
            Hex(span.ParentSpanId),
            StringPool.Of(Attributes.Cut(span.Name)),
            service,
            span.Kind >= 0 && span.Kind < Kinds.Length ? Kinds[span.Kind] : Kinds[0],
            Time(span.StartTimeUnixNano),
            span.EndTimeUnixNano > span.StartTimeUnixNano ? (span.EndTimeUnixNano - span.StartTimeUnixNano) / 1e6 : 0,
            span.Status?.Code == 2,
            Attributes.Cut(span.Status?.Message ?? ""),
            Attributes.Read(span.Attributes)
        )
        {
            Events =
                span.Events.Count == 0
                    ? []
                    :
                    [
                        .. span
                            .Events.Take(MostEvents)
                            .Select(one => new SpanEvent(
                                StringPool.Of(Attributes.Cut(one.Name)),
                                one.TimeUnixNano > span.StartTimeUnixNano
                                    ? (one.TimeUnixNano - span.StartTimeUnixNano) / 1e6
                                    : 0,
                                Attributes.Read(one.Attributes)
                            )),
                    ],
        };

    public static IEnumerable<LogView> Read(ExportLogsServiceRequest request, DateTimeOffset now)
    {
        foreach (var resource in request.ResourceLogs)
        {
            var service = Attributes.Service(resource.Resource);
            foreach (var scope in resource.ScopeLogs)
            {
                var logger = StringPool.Of(Attributes.Cut(scope.Scope?.Name ?? ""));
                foreach (var record in scope.LogRecords)
                {
                    var nanos = record.TimeUnixNano != 0 ? record.TimeUnixNano : record.ObservedTimeUnixNano;
                    yield return new LogView(
                        nanos == 0 ? now : Time(nanos),
                        LogLevels.Name(record.SeverityNumber, record.SeverityText),
                        service,
                        logger,
                        Attributes.Cut(Attributes.Text(record.Body), MostBody),
                        record.TraceId.Length == 16 ? Hex(record.TraceId) : "",
                        record.SpanId.Length == 8 ? Hex(record.SpanId) : "",
                        Attributes.Read(record.Attributes)
                    );
                }
            }
        }
    }

    public static DateTimeOffset Time(ulong unixNano) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(unixNano / 100, (ulong)TimeSpan.TicksPerDay * 365 * 500));

    private static string Hex(Google.Protobuf.ByteString bytes) => Convert.ToHexStringLower(bytes.Span);
}
