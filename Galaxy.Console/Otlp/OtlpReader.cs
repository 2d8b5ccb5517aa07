using System.Globalization;
using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;

namespace Galaxy.Console.Otlp;

/// <summary>Turns OTLP messages into what the console keeps. Spans with ids of the wrong length are left out, as the protocol asks.</summary>
internal static class OtlpReader
{
    private const int MaxAttributes = 64;
    private const int MaxText = 1024;
    private static readonly string[] Kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

    public static IEnumerable<SpanView> Read(ExportTraceServiceRequest request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var service = resource.Resource?.Attributes.FirstOrDefault(attribute => attribute.Key == "service.name")?.Value?.StringValue ?? "unknown";
            foreach (var span in resource.ScopeSpans.SelectMany(scope => scope.Spans).Where(span => span.TraceId.Length == 16 && span.SpanId.Length == 8))
                yield return Read(span, service);
        }
    }

    private static SpanView Read(Span span, string service) => new(
        Hex(span.TraceId), Hex(span.SpanId), Hex(span.ParentSpanId), Cut(span.Name), service,
        span.Kind >= 0 && span.Kind < Kinds.Length ? Kinds[span.Kind] : "unspecified",
        DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(span.StartTimeUnixNano / 100, (ulong)TimeSpan.TicksPerDay * 365 * 500)),
        span.EndTimeUnixNano > span.StartTimeUnixNano ? (span.EndTimeUnixNano - span.StartTimeUnixNano) / 1e6 : 0,
        span.Status?.Code == 2, Cut(span.Status?.Message ?? ""),
        span.Attributes.Take(MaxAttributes).DistinctBy(attribute => attribute.Key).ToDictionary(attribute => attribute.Key, attribute => Cut(Text(attribute.Value))));

    private static string Hex(Google.Protobuf.ByteString bytes) => Convert.ToHexStringLower(bytes.Span);

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];

    private static string Text(AnyValue? value) => value?.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => value.StringValue,
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(CultureInfo.InvariantCulture),
        null or AnyValue.ValueOneofCase.None => "",
        _ => value.ToString(),
    };
}
