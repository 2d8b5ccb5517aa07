using System.Net;
using System.Text.Json;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Console.Cluster;

/// <summary>
/// The console's way to other services: each request is signed in the name of a user. It does not retry by itself: the
/// caller knows which requests may be sent twice. Thread-safe.
/// </summary>
internal sealed class ClusterHttp(ServiceTokens tokens) : IDisposable
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(2);

    private readonly HttpClient _client = new(
        InternalHttp.CreateHandler(handler =>
        {
            handler.ConnectTimeout = ConnectPatience;
            handler.AutomaticDecompression = DecompressionMethods.All;
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
            handler.UseCookies = false;
            handler.AllowAutoRedirect = false;
        })
    )
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>In the console's own name.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        SendAsync(request, AccessRole.Admin, null, cancellation);

    /// <summary>Returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        AccessRole role,
        string? name,
        CancellationToken cancellation
    )
    {
        tokens.Sign(request, role, name);
        return _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>In the console's own name; the default when there is no good answer in time.</summary>
    public async Task<T?> ReadAsync<T>(string url, TimeSpan patience, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ends.CancelAfter(patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            using var answer = await SendAsync(request, ends.Token);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadFromJsonAsync<T>(GalaxyJson.Options, ends.Token)
                : default;
        }
        catch (Exception failure)
            when (failure is HttpRequestException or JsonException or IOException
                || (failure is OperationCanceledException && !cancellation.IsCancellationRequested)
            )
        {
            return default;
        }
    }

    public void Dispose() => _client.Dispose();
}
