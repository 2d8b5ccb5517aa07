using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Galaxy.ServiceDefaults.Telemetry;

/// <summary>
/// One line per message: time, level, the class that speaks, what it says. A warning names the cause of an exception,
/// an error also carries its stack. Everything else of a log record goes to OTLP.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "galaxy";

    private const string Host = "Microsoft.Extensions.Hosting.Internal.Host";
    private const int StartupFailed = 11;

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        // GalaxyApp says the same in one sentence.
        if (logEntry.EventId.Id == StartupFailed && logEntry.Category == Host)
            return;
        textWriter.Write(time.GetLocalNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        textWriter.Write(Level(logEntry.LogLevel));
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.Write(OneLine(logEntry.Formatter(logEntry.State, null)));
        if (logEntry.Exception is { } failure)
            textWriter.Write(
                logEntry.LogLevel >= LogLevel.Error
                    ? OneLine(" " + failure)
                    : OneLine($" ({failure.GetType().Name}: {failure.Message})")
            );
        textWriter.WriteLine();
    }

    private static string Level(LogLevel level) =>
        level switch
        {
            LogLevel.Trace => " trce: ",
            LogLevel.Debug => " dbug: ",
            LogLevel.Information => " info: ",
            LogLevel.Warning => " warn: ",
            LogLevel.Error => " fail: ",
            _ => " crit: ",
        };

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}

/// <summary>Logging to the console, the same in every program.</summary>
public static class LineLogging
{
    public static ILoggingBuilder AddLines(this ILoggingBuilder logging) =>
        logging
            .AddConsole(console => console.FormatterName = LineFormatter.FormatterName)
            .AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
}
