using System.Globalization;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;

namespace Galaxy.OneApi.Relay;

/// <summary>Error answers before the first byte.</summary>
internal static class Errors
{
    /// <param name="raw">The provider's own error, where it may be passed on.</param>
    public static async Task WriteAsync(
        HttpContext context,
        ClientDialect client,
        ModelError error,
        RawRefusal? raw = null
    )
    {
        var response = context.Response;
        var trace = response.Headers["x-galaxy-trace-id"];
        response.Clear();
        if (trace.Count > 0)
            response.Headers["x-galaxy-trace-id"] = trace;
        if (error.RetryAfter is { } after)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(after.TotalSeconds))
                .ToString(CultureInfo.InvariantCulture);
        if (error.Kind == ErrorKind.Budget)
            response.Headers["x-should-retry"] = "false";
        if (error.Kind == ErrorKind.Authentication)
            response.Headers.WWWAuthenticate = "Bearer realm=\"galaxy\"";
        response.StatusCode = raw?.Status ?? error.Status;
        response.ContentType = raw?.MediaType ?? "application/json";
        if (raw is not null)
            await response.Body.WriteAsync(raw.Body, context.RequestAborted);
        else
            await response.WriteAsync(client.Error(error).ToJsonString(Sse.Json), context.RequestAborted);
    }
}
