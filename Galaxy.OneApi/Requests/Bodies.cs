using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Governance;
using Microsoft.AspNetCore.Http.Features;

namespace Galaxy.OneApi.Requests;

/// <summary>Reads bodies, up to a limit.</summary>
internal static class Bodies
{
    /// <summary>When <c>ONEAPI_MAX_BODY_MB</c> says nothing else.</summary>
    public const int DefaultMiB = 20;

    /// <exception cref="RefusedException">It is too long.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpContext context, int mebibytes)
    {
        var most = mebibytes * 1024L * 1024L;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = most;
        if (context.Request.ContentLength > most)
            throw TooLarge(mebibytes);
        try
        {
            if (context.Request.ContentLength is { } told)
            {
                var whole = new byte[told];
                await context.Request.Body.ReadExactlyAsync(whole, context.RequestAborted);
                return whole;
            }
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            return buffer.ToArray();
        }
        catch (BadHttpRequestException bad) when (bad.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge(mebibytes);
        }
        catch (EndOfStreamException)
        {
            throw new RefusedException(ModelError.Invalid("The body is shorter than its Content-Length."));
        }
    }

    private static RefusedException TooLarge(int mebibytes) => new(new ModelError(ErrorKind.TooLarge, $"The body is over {mebibytes} MiB."));
}
