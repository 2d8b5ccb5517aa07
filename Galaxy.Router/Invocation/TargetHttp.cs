using Galaxy.Core.Routing;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.Router.Invocation;

/// <summary>The connections to services, one pool for all. Thread-safe.</summary>
internal sealed class TargetHttp(ServiceTokens tokens) : IDisposable
{
    /// <summary>The kind of services that are not part of Galaxy: they never see the cluster's key.</summary>
    public const string External = "external";

    // An invoker, not a client: nothing retries, follows or buffers by itself. What may be repeated is decided here.
    private readonly HttpMessageInvoker _http = new(
        InternalHttp.CreateHandler(handler =>
        {
            handler.AllowAutoRedirect = false;
            handler.UseCookies = false;
            handler.ConnectTimeout = TimeSpan.FromSeconds(2);
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
            handler.EnableMultipleHttp2Connections = true;
        })
    );

    /// <param name="path">From the root, with its query.</param>
    public HttpRequestMessage Request(HttpMethod method, RouteTarget target, string path) =>
        Authorised(new HttpRequestMessage(method, target.Url.TrimEnd('/') + path), target.Type != External);

    /// <summary>A request to a coordinator.</summary>
    public HttpRequestMessage Request(HttpMethod method, string url) =>
        Authorised(new HttpRequestMessage(method, url), isOurs: true);

    /// <summary>Returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        _http.SendAsync(request, cancellation);

    private HttpRequestMessage Authorised(HttpRequestMessage request, bool isOurs)
    {
        // Requests are sent with the role of a client, so that they may do no more than a client.
        if (isOurs)
            tokens.Sign(request, AccessRole.Client);
        return request;
    }

    public void Dispose() => _http.Dispose();
}
