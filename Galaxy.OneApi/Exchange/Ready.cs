using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Exchange;

/// <summary>A whole answer that is here already.</summary>
internal sealed class Ready(byte[] body, string mediaType, Usage? usage) : IExchange
{
    public HttpResponseMessage? Head => null;

    public Usage? Usage => usage;

    public int Pieces => 0;

    public bool IsWhole => true;

    public async Task WriteAsync(HttpContext context, CancellationToken cancellation)
    {
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, cancellation);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
