using System.Buffers;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Backends;

/// <summary>An answer that is not text, such as sound: it is passed on as it comes.</summary>
internal sealed class BytesThrough : IExchange
{
    private readonly UpstreamCall _call;
    private readonly byte[] _first;

    private BytesThrough(UpstreamCall call, byte[] first) => (_call, _first) = (call, first);

    public HttpResponseMessage? Head => _call.Response;

    public Usage? Usage => null;

    public int Pieces => 0;

    public bool IsWhole => false;

    /// <exception cref="UpstreamException">It sent nothing.</exception>
    public static async Task<BytesThrough> BeginAsync(UpstreamCall call, Provider provider)
    {
        var buffer = new byte[16 * 1024];
        return await call.ReadAsync(buffer) is > 0 and var read
            ? new BytesThrough(call, buffer[..read])
            : throw new UpstreamException(
                new ModelError(ErrorKind.Upstream, $"The provider '{provider.Name}' sent an empty answer.")
            );
    }

    public async Task WriteAsync(HttpContext context, CancellationToken cancellation)
    {
        context.Response.ContentType = _call.Response.Content.Headers.ContentType?.ToString()
            ?? "application/octet-stream";
        await context.Response.Body.WriteAsync(_first, cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (await _call.ReadAsync(buffer) is > 0 and var read)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), cancellation);
                await context.Response.Body.FlushAsync(cancellation);
            }
        }
        catch (UpstreamException failure)
        {
            // A binary stream cannot carry an error, so the connection is aborted and the client notices it.
            context.Abort();
            throw new BrokeOffException(failure.Error) { IsTold = true };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
