using System.Net;
using System.Text;

namespace Galaxy.EndToEnd.Tests.Models;

/// <summary>A provider that speaks OpenAI's words and remembers which key it was shown.</summary>
internal sealed class Provider : IDisposable
{
    private readonly HttpListener _listener = new();

    public Provider()
    {
        Address = $"http://127.0.0.1:{Ports.Free()}/v1";
        _listener.Prefixes.Add(Address.Replace("/v1", "/", StringComparison.Ordinal));
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address { get; }

    public string? Authorization { get; private set; }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            Authorization = context.Request.Headers["Authorization"];
            var text =
                context.Request.HttpMethod == "GET"
                    ? """{"object":"list","data":[{"id":"parrot","object":"model","created":1,"owned_by":"home"}]}"""
                    : """{"id":"c1","object":"chat.completion","created":1,"model":"parrot","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""";
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            context.Response.Close();
        }
    }

    public void Dispose() => ((IDisposable)_listener).Dispose();
}
