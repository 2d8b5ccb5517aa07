using System.Globalization;
using System.Text;
using Galaxy.OneApi.Accounting;
using Galaxy.OneApi.Governance;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.OneApi.Http;

/// <summary><c>/api/v1/usage</c>: what was used, by day, key and model, as JSON or CSV.</summary>
internal static class UsageApi
{
    private const int MostDays = 400;

    public static void MapUsageApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGet("/api/v1/usage", ReadAsync)
            .WithSummary("Requests, tokens and cost by day, key and model")
            .WithDescription(
                "Query: from and to (yyyy-MM-dd, UTC; today), key (an id), model (a pattern with *), "
                    + "format=csv. With 'Accept: text/csv' it is CSV, too."
            );

    private static async Task<IResult> ReadAsync(
        HttpRequest request,
        UsageLog usage,
        TimeProvider time,
        string? from = null,
        string? to = null,
        string? key = null,
        string? model = null,
        string? format = null
    )
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!TryDay(from, today, out var first))
            return Invalid("from", from);
        if (!TryDay(to, today, out var last))
            return Invalid("to", to);
        if (first > last || last.DayNumber - first.DayNumber >= MostDays)
            return Results.Problem(
                $"'from' must not be after 'to', and at most {MostDays} days before it.",
                statusCode: 400
            );
        if (format is not (null or "json" or "csv"))
            return Results.Problem($"'format' is '{format}'; allowed are json and csv.", statusCode: 400);
        try
        {
            var rows = (await usage.ReadAsync(first, last))
                .Where(row =>
                    (key is null || row.Key == key)
                    && (model is null || Governance.ModelPattern.Matches(model, row.Model))
                )
                .OrderBy(row => row.Day, StringComparer.Ordinal)
                .ThenBy(row => row.Key, StringComparer.Ordinal)
                .ThenBy(row => row.Model, StringComparer.Ordinal)
                .ToList();
            return
                format == "csv"
                || request.Headers.Accept.ToString().Contains("text/csv", StringComparison.OrdinalIgnoreCase)
                ? Results.Text(Csv(rows), "text/csv", Encoding.UTF8)
                : Results.Json(rows, GalaxyJson.Options);
        }
        catch (StoreMissingException missing)
        {
            return Results.Problem($"Usage cannot be read now: {missing.Message}.", statusCode: 503);
        }
    }

    private static bool TryDay(string? text, DateOnly otherwise, out DateOnly day)
    {
        day = otherwise;
        return text is null
            || DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
    }

    private static IResult Invalid(string field, string? text) =>
        Results.Problem($"'{field}' is '{text}'; it must be a day such as 2026-11-25.", statusCode: 400);

    private static string Csv(List<UsageRow> rows)
    {
        var csv = new StringBuilder(
            "day,key,model,requests,errors,input_tokens,cached_tokens,output_tokens,cost_usd\r\n"
        );
        foreach (var row in rows)
        {
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{row.Day},{Quoted(row.Key)},{Quoted(row.Model)},{row.Requests},{row.Errors},"
                    + $"{row.InputTokens},{row.CachedTokens},{row.OutputTokens},{row.CostUsd:0.#########}\r\n"
            );
        }
        return csv.ToString();
    }

    // RFC 4180. A name that begins like a formula is a text to spreadsheets only behind an apostrophe.
    private static string Quoted(string text)
    {
        if (text.Length > 0 && "=+-@".Contains(text[0], StringComparison.Ordinal))
            text = "'" + text;
        return text.AsSpan().ContainsAny(",\"\r\n")
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;
    }
}
