using System.Text;

namespace Galaxy.Bench.OneApi;

/// <summary>
/// A provider of OpenAI's dialect that answers at once, in a process of its own. The model says how: <c>plain</c>,
/// <c>stream</c>, <c>slow</c> (a piece each second), <c>endless</c>.
/// </summary>
internal static class Upstream
{
    private static readonly byte[] Whole = Encoding.UTF8.GetBytes(
        """{"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"plain","choices":["""
            + """{"index":0,"message":{"role":"assistant","content":"A whole answer of some twenty words, as """
            + """long as a short answer of a model is, which is not very long."},"logprobs":"""
            + """null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":"""
            + """24,"total_tokens":44}}"""
    );
    private static readonly byte[] Role = Encoding.UTF8.GetBytes(
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"""
            + "\n\n"
    );
    private static readonly byte[] Piece = Encoding.UTF8.GetBytes(
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":"""
            + """0,"delta":{"content":" word"},"finish_reason":null}]}"""
            + "\n\n"
    );
    private static readonly byte[] End = Encoding.UTF8.GetBytes(
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""
            + "\n\ndata: [DONE]\n\n"
    );

    private static int _open;

    public static async Task<int> RunAsync(string port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder
            .WebHost.UseUrls("http://127.0.0.1:" + port)
            .ConfigureKestrel(kestrel => kestrel.Limits.MaxConcurrentConnections = null);
        var app = builder.Build();
        app.MapGet("/open", () => Volatile.Read(ref _open));
        app.MapPost("/v1/chat/completions", AnswerAsync);
        await app.RunAsync();
        return 0;
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var body = new byte[4096];
        var read = 0;
        while (await context.Request.Body.ReadAsync(body.AsMemory(read)) is > 0 and var more)
            read += more;
        var asked = body.AsMemory(0, read);
        if (asked.Span.IndexOf("\"plain\""u8) >= 0)
        {
            (context.Response.ContentType, context.Response.ContentLength) = ("application/json", Whole.Length);
            await context.Response.Body.WriteAsync(Whole);
            return;
        }
        var isSlow = asked.Span.IndexOf("\"slow\""u8) >= 0;
        var isEndless = asked.Span.IndexOf("\"endless\""u8) >= 0;
        context.Response.ContentType = "text/event-stream";
        Interlocked.Increment(ref _open);
        try
        {
            await SendAsync(context, Role);
            for (var i = 0; (i < 20 || isEndless) && !context.RequestAborted.IsCancellationRequested; i++)
            {
                await SendAsync(context, Piece);
                if (isSlow || isEndless)
                    await Task.Delay(1000, context.RequestAborted);
            }
            await SendAsync(context, End);
        }
        catch (OperationCanceledException)
        {
            // The reader has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task SendAsync(HttpContext context, byte[] bytes)
    {
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
