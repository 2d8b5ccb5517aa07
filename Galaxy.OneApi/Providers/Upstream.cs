using System.Net.Http.Headers;

namespace Galaxy.OneApi.Providers;

/// <summary>The HTTP side of providers. One pool of connections for all; thread-safe.</summary>
internal sealed class Upstream : IDisposable
{
    /// <summary>An upstream that sends nothing for that long has hung.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // No retry policy here: a repeated completion costs its owner money. Fallback is the router's decision.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Returns as soon as the headers are there; the caller reads the body.</summary>
    public Task<HttpResponseMessage> PostAsync(Provider provider, string path, ReadOnlyMemory<byte> json, CancellationToken cancellation)
    {
        var request = Authorised(new HttpRequestMessage(HttpMethod.Post, provider.Address(path)), provider);
        request.Content = new ReadOnlyMemoryContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    public Task<HttpResponseMessage> GetAsync(Provider provider, string path, CancellationToken cancellation) =>
        _http.SendAsync(Authorised(new HttpRequestMessage(HttpMethod.Get, provider.Address(path)), provider), cancellation);

    private static HttpRequestMessage Authorised(HttpRequestMessage request, Provider provider)
    {
        if (provider.ApiKey is { Length: > 0 } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    public void Dispose() => _http.Dispose();
}
