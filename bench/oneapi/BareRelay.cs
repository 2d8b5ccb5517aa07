using System.Net.Http.Headers;

namespace Galaxy.Bench.OneApi;

/// <summary>
/// The least that a gateway in ASP.NET can do: take a body, send it on, copy the answer. What a hop costs on this
/// machine, whatever one does in it.
/// </summary>
internal static class BareRelay
{
    public static async Task<int> RunAsync(string port, string upstream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls("http://127.0.0.1:" + port);
        var app = builder.Build();
        var http = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                ActivityHeadersPropagator = null,
                ResponseDrainTimeout = TimeSpan.Zero,
            }
        );
        var target = new Uri(upstream + "/v1/chat/completions");
        app.Run(async context =>
        {
            var body = new byte[context.Request.ContentLength ?? 0];
            await context.Request.Body.ReadExactlyAsync(body);
            using var request = new HttpRequestMessage(HttpMethod.Post, target)
            {
                Content = new ByteArrayContent(body)
                {
                    Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
                },
            };
            using var response = await http.SendAsync(request, context.RequestAborted);
            (context.Response.ContentType, context.Response.ContentLength) = (
                response.Content.Headers.ContentType?.ToString(),
                response.Content.Headers.ContentLength
            );
            await using var answer = await response.Content.ReadAsStreamAsync();
            var buffer = new byte[4096];
            while (await answer.ReadAsync(buffer) is > 0 and var read)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }
        });
        await app.RunAsync();
        return 0;
    }
}
