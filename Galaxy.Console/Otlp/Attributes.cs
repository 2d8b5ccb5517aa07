using System.Globalization;
using Galaxy.Contracts.Otlp;
using Google.Protobuf.Collections;

namespace Galaxy.Console.Otlp;

/// <summary>Attributes as text, cut to what is worth keeping.</summary>
internal static class Attributes
{
    private const int Most = 64;

    /// <summary>Characters of a name or value. A stack trace has more.</summary>
    public const int MostText = 1024;

    private const int MostStack = 8192;

    public static string Service(Resource? resource) =>
        StringPool.Of(
            Cut(
                resource?.Attributes.FirstOrDefault(attribute => attribute.Key == "service.name")?.Value?.StringValue
                    is { Length: > 0 } name
                    ? name
                    : "unknown"
            )
        );

    public static IReadOnlyDictionary<string, string> Read(RepeatedField<KeyValue> attributes)
    {
        if (attributes.Count == 0)
            return CompactAttributes.Empty;
        var read = new List<KeyValuePair<string, string>>(Math.Min(attributes.Count, Most));
        foreach (var attribute in attributes)
        {
            if (read.Count == Most)
                break;
            if (!read.Exists(before => before.Key == attribute.Key))
                read.Add(
                    new(
                        StringPool.Of(Cut(attribute.Key)),
                        StringPool.Of(
                            Cut(Text(attribute.Value), attribute.Key == "exception.stacktrace" ? MostStack : MostText)
                        )
                    )
                );
        }
        return new CompactAttributes([.. read]);
    }

    public static string Cut(string text, int most = MostText) => text.Length <= most ? text : text[..most];

    public static string Text(AnyValue? value) =>
        value?.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue => value.StringValue,
            AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
            AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
            AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(CultureInfo.InvariantCulture),
            AnyValue.ValueOneofCase.ArrayValue =>
                $"[{string.Join(", ", value.ArrayValue.Values.Take(Most).Select(Text))}]",
            null or AnyValue.ValueOneofCase.None => "",
            _ => value.ToString(),
        };
}
