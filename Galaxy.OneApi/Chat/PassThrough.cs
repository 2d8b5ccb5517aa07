using System.Buffers;
using Galaxy.OneApi.Errors;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Chat;

/// <summary>OpenAI's dialect in and out: the upstream's bytes reach the client as they come.</summary>
internal static partial class PassThrough
{
    private static readonly string[] CarriedHeaders =
        ["Retry-After", "x-request-id", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"];

    public static async Task<IResult> SendAsync(HttpContext context, Upstream upstream, Provider provider, byte[] body, ILogger log)
    {
        // A client that goes away takes its upstream request along.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        ends.CancelAfter(Upstream.Patience);
        try
        {
            using var response = await upstream.PostAsync(provider, "/chat/completions", body, ends.Token);
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = response.Content.Headers.ContentType?.ToString() ?? "application/json";
            foreach (var name in CarriedHeaders)
            {
                if (response.Headers.TryGetValues(name, out var values))
                    context.Response.Headers[name] = values.ToArray();
            }
            await CopyAsync(await response.Content.ReadAsStreamAsync(ends.Token), context.Response, ends);
            return Results.Empty;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            if (context.RequestAborted.IsCancellationRequested)
                return Results.Empty;
            LogUpstreamFailed(log, provider.Name, failure.Message);
            var reason = failure is OperationCanceledException ? $"sent nothing for {Upstream.Patience.TotalSeconds:0} s" : "could not be reached or broke off";
            var message = $"The provider '{provider.Name}' {reason}.";
            if (!context.Response.HasStarted)
                return OpenAiError.Result(failure is OperationCanceledException ? 504 : 502, message, "upstream_error");
            // After the first bytes the only honest way to say it is inside the stream.
            await context.Response.WriteAsync($"data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"upstream_error\"}}}}\n\n", CancellationToken.None);
            return Results.Empty;
        }
    }

    private static async Task CopyAsync(Stream source, HttpResponse target, CancellationTokenSource ends)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (await source.ReadAsync(buffer, ends.Token) is > 0 and var count)
            {
                ends.CancelAfter(Upstream.Patience);
                await target.Body.WriteAsync(buffer.AsMemory(0, count), ends.Token);
                await target.Body.FlushAsync(ends.Token);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} failed: {Reason}")]
    private static partial void LogUpstreamFailed(ILogger log, string provider, string reason);
}
