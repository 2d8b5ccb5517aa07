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
        // The limit is kept here: the server's own would cut the connection, and the client would never read why.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
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
            return await ReadUntoldAsync(context, most) ?? throw TooLarge(mebibytes);
        }
        catch (EndOfStreamException)
        {
            throw new RefusedException(ModelError.Invalid("The body is shorter than its Content-Length."));
        }
    }

    private static async Task<ReadOnlyMemory<byte>?> ReadUntoldAsync(HttpContext context, long most)
    {
        using var buffer = new MemoryStream();
        var piece = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(piece, context.RequestAborted) is > 0 and var read)
        {
            if (buffer.Length + read > most)
                return null;
            buffer.Write(piece, 0, read);
        }
        return buffer.ToArray();
    }

    private static RefusedException TooLarge(int mebibytes) =>
        new(new ModelError(ErrorKind.TooLarge, $"The body is over {mebibytes} MiB."));
}
