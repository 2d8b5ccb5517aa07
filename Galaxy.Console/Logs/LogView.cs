namespace Galaxy.Console.Logs;

/// <summary>A log record as pages and the API show it.</summary>
/// <param name="Level"><c>trace</c>, <c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c> or <c>fatal</c>.</param>
/// <param name="Logger">The scope, for instance a class.</param>
/// <param name="TraceId">Empty: it belongs to none.</param>
public sealed record LogView(
    DateTimeOffset Time,
    string Level,
    string Service,
    string Logger,
    string Message,
    string TraceId,
    string SpanId,
    IReadOnlyDictionary<string, string> Attributes
)
{
    /// <summary>Grows by one with each record that came in.</summary>
    public long Number { get; init; }
}

/// <summary>The levels of OpenTelemetry's log data model, by severity number.</summary>
internal static class LogLevels
{
    public static IReadOnlyList<string> Names { get; } = ["trace", "debug", "info", "warn", "error", "fatal"];

    /// <param name="number">1 to 24, four for each level; 0: not told, the text may tell.</param>
    public static string Name(int number, string text) =>
        number is >= 1 and <= 24
            ? Names[(number - 1) / 4]
            : text.ToUpperInvariant() switch
            {
                "TRACE" or "VERBOSE" => "trace",
                "DEBUG" => "debug",
                "WARN" or "WARNING" => "warn",
                "ERROR" or "ERR" => "error",
                "FATAL" or "CRITICAL" => "fatal",
                _ => "info",
            };

    /// <summary>-1: there is no such level.</summary>
    public static int Rank(string level)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (Names[i] == level)
                return i;
        }
        return -1;
    }
}
