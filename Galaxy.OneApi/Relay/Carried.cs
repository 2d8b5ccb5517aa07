using System.Globalization;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Governance;

namespace Galaxy.OneApi.Relay;

/// <summary>
/// Headers of answers: those of a provider, for a client of its dialect, and those of this service's own limits.
/// </summary>
internal static class Carried
{
    private static readonly string[] Prefixes =
    [
        "x-ratelimit-",
        "anthropic-",
        "openai-",
        "retry-after",
        "x-request-id",
        "request-id",
        "x-should-retry",
    ];

    public static void From(HttpResponseMessage head, HttpResponse response)
    {
        foreach (var (name, values) in head.Headers)
        {
            if (Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
                response.Headers[name] = values.ToArray();
        }
        if (head.Content.Headers.ContentType is { } type)
            response.ContentType = type.ToString();
    }

    /// <summary>Replaces the provider's headers, because its limits do not concern the client.</summary>
    public static void Limits(Admission admission, Wire wire, IHeaderDictionary headers, TimeProvider time)
    {
        foreach (
            var name in headers
                .Keys.Where(name => name.Contains("ratelimit", StringComparison.OrdinalIgnoreCase))
                .ToList()
        )
            headers.Remove(name);
        if (admission.Key.Rpm is { } requests)
            Limit(wire, headers, "requests", requests, admission.RequestsLeft, time);
        if (admission.Key.Tpm is { } tokens)
            Limit(wire, headers, "tokens", tokens, admission.TokensLeft, time);
    }

    private static void Limit(
        Wire wire,
        IHeaderDictionary headers,
        string what,
        long limit,
        long left,
        TimeProvider time
    )
    {
        var isAnthropic = wire == Wire.Messages;
        headers[isAnthropic ? $"anthropic-ratelimit-{what}-limit" : $"x-ratelimit-limit-{what}"] = limit.ToString(
            CultureInfo.InvariantCulture
        );
        headers[isAnthropic ? $"anthropic-ratelimit-{what}-remaining" : $"x-ratelimit-remaining-{what}"] =
            left.ToString(CultureInfo.InvariantCulture);
        headers[isAnthropic ? $"anthropic-ratelimit-{what}-reset" : $"x-ratelimit-reset-{what}"] = isAnthropic
            ? time.GetUtcNow().AddMinutes(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : "60s";
    }
}
