using System.Net.Http.Headers;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.OneApi.Providers;

/// <summary>
/// The HTTP side of providers, through the system's proxy where there is one. One pool of connections for all;
/// thread-safe.
/// </summary>
internal sealed class Upstream : IDisposable
{
    // Invokers, not clients: nothing retries, follows or buffers by itself. What may be repeated is decided elsewhere.
    private readonly HttpMessageInvoker _http = new(OutboundHttp.CreateHandler(Configure));
    private readonly HttpMessageInvoker _internal = new(InternalHttp.CreateHandler(Configure));

    private static void Configure(SocketsHttpHandler handler)
    {
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.EnableMultipleHttp2Connections = true;
        // An answer that is no longer read costs the owner of the key money with every token: close the connection at
        // once.
        handler.ResponseDrainTimeout = TimeSpan.Zero;
        // Trace context is nothing that providers should see.
        handler.ActivityHeadersPropagator = null;
    }

    /// <summary>Returns as soon as the head of the answer is there; the caller reads the body.</summary>
    public Task<HttpResponseMessage> PostAsync(
        Provider provider,
        string? key,
        string path,
        ReadOnlyMemory<byte> body,
        string mediaType,
        IHeaderDictionary? client,
        CancellationToken cancellation
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, provider.Address(path));
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        Carry(client, request.Headers);
        provider.Authorise(request.Headers, key);
        return _http.SendAsync(request, cancellation);
    }

    public Task<HttpResponseMessage> SendAsync(
        Provider provider,
        string? key,
        HttpMethod method,
        string path,
        CancellationToken cancellation
    )
    {
        var request = new HttpRequestMessage(method, provider.Address(path));
        provider.Authorise(request.Headers, key);
        return _http.SendAsync(request, cancellation);
    }

    /// <summary>A request to another service of Galaxy, never through a proxy.</summary>
    public Task<HttpResponseMessage> SendInternalAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        _internal.SendAsync(request, cancellation);

    /// <summary>A request to a tool's address.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        _http.SendAsync(request, cancellation);

    // Of a client that speaks the provider's own dialect: what switches features on. Never what identifies it.
    private static void Carry(IHeaderDictionary? client, HttpRequestHeaders headers)
    {
        if (client is null)
            return;
        foreach (var (name, values) in client)
        {
            if (
                name.StartsWith("anthropic-", StringComparison.OrdinalIgnoreCase)
                || name.Equals("openai-beta", StringComparison.OrdinalIgnoreCase)
            )
                headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }

    /// <summary>What a limit says about when to come back (RFC 9110, and OpenAI's in milliseconds).</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        if (
            response.Headers.TryGetValues("retry-after-ms", out var values)
            && double.TryParse(values.First(), System.Globalization.CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds is >= 0 and < 86_400_000
        )
            return TimeSpan.FromMilliseconds(milliseconds);
        return response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date > time.GetUtcNow() ? date - time.GetUtcNow() : TimeSpan.Zero,
            _ => null,
        };
    }

    public static bool IsEventStream(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType == "text/event-stream";

    public void Dispose()
    {
        _http.Dispose();
        _internal.Dispose();
    }
}
