using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Console.People;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Console.Cluster;

/// <summary>The service that is asked.</summary>
public enum Whom
{
    /// <summary>The leader, or while there is none any coordinator that can be reached.</summary>
    Coordinator,

    Leader,
    OneApi,
    Discovery,
}

/// <summary>
/// The cluster's public API, in the name and with the role of the user of the page: what the user may not do, the
/// service itself refuses. One instance for each circuit.
/// </summary>
public sealed class ClusterApi
{
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    private readonly ClusterHttp _http;
    private readonly ClusterWatcher _watcher;
    private readonly Viewer _viewer;
    private readonly TimeProvider _time;

    internal ClusterApi(ClusterHttp http, ClusterWatcher watcher, Viewer viewer, TimeProvider time) =>
        (_http, _watcher, _viewer, _time) = (http, watcher, viewer, time);

    public Task<Answer<T>> GetAsync<T>(string path, CancellationToken cancellation, Whom whom = Whom.Coordinator) =>
        SendAsync<T>(HttpMethod.Get, path, null, null, whom, cancellation);

    /// <summary>The default when no service answers now.</summary>
    public async Task<T?> TryGetAsync<T>(string path, CancellationToken cancellation, Whom whom = Whom.Coordinator) =>
        (await GetAsync<T>(path, cancellation, whom)).Value;

    public Task<Answer<T>> PostAsync<T>(
        string path,
        object? body,
        CancellationToken cancellation,
        Whom whom = Whom.Leader
    ) => SendAsync<T>(HttpMethod.Post, path, body, null, whom, cancellation);

    public Task<Answer<T>> PutAsync<T>(
        string path,
        object? body,
        CancellationToken cancellation,
        Whom whom = Whom.Coordinator
    ) => SendAsync<T>(HttpMethod.Put, path, body, null, whom, cancellation);

    public Task<Answer<T>> DeleteAsync<T>(string path, CancellationToken cancellation, Whom whom = Whom.Coordinator) =>
        SendAsync<T>(HttpMethod.Delete, path, null, null, whom, cancellation);

    /// <param name="headers">For instance <c>If-Match</c>.</param>
    public async Task<Answer<T>> SendAsync<T>(
        HttpMethod method,
        string path,
        object? body,
        IReadOnlyDictionary<string, string>? headers,
        Whom whom,
        CancellationToken cancellation
    )
    {
        var started = _time.GetTimestamp();
        var patience = method == HttpMethod.Get ? ReadPatience : WritePatience;
        var content = body is null ? null : JsonSerializer.SerializeToUtf8Bytes(body, GalaxyJson.Options);
        var problem = "Nobody of the cluster can be reached at the moment. Try again shortly.";
        while (true)
        {
            var left = patience - _time.GetElapsedTime(started);
            if (UrlOf(whom) is { } url && left > TimeSpan.Zero)
            {
                var (answer, again) = await OnceAsync<T>(method, url + path, content, headers, left, cancellation);
                if (!again)
                    return answer;
                problem = answer.Problem ?? problem;
            }
            if (_time.GetElapsedTime(started) + Pause >= patience)
                return new Answer<T>(default, problem, 0);
            await Task.Delay(Pause, _time, cancellation);
        }
    }

    /// <summary><c>Again</c>: the request may be sent once more, because nothing was done or it only reads.</summary>
    private async Task<(Answer<T> Answer, bool Again)> OnceAsync<T>(
        HttpMethod method,
        string url,
        byte[]? content,
        IReadOnlyDictionary<string, string>? headers,
        TimeSpan patience,
        CancellationToken cancellation
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ends.CancelAfter(patience);
        try
        {
            using var request = Make(method, url, content, headers);
            using var response = await _http.SendAsync(request, _viewer.Role, _viewer.Name, ends.Token);
            if (response.IsSuccessStatusCode)
                return (
                    new Answer<T>(
                        await ReadAsync<T>(response, ends.Token),
                        null,
                        (int)response.StatusCode,
                        NextOf(response)
                    ),
                    false
                );
            var problem = await ProblemAsync(response, ends.Token);
            var again =
                response.StatusCode == HttpStatusCode.MisdirectedRequest
                || (
                    response.StatusCode == HttpStatusCode.ServiceUnavailable
                    && (
                        method == HttpMethod.Get
                        || (
                            response.Headers.TryGetValues("X-Galaxy-Executed", out var executed)
                            && executed.Contains("no")
                        )
                    )
                );
            return (new Answer<T>(default, problem, (int)response.StatusCode), again);
        }
        catch (HttpRequestException failure)
        {
            // Where no process listens, nothing was done.
            return (
                new Answer<T>(default, $"No answer from {url}: {failure.Message}", 0),
                method == HttpMethod.Get
                    || failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
            );
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (new Answer<T>(default, $"No answer from {url} in time; whether it was done is unknown.", 0), false);
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException)
        {
            return (new Answer<T>(default, $"The answer of {url} could not be read: {unreadable.Message}", 0), false);
        }
    }

    /// <summary>An answer that comes piece by piece; the caller disposes of it.</summary>
    /// <exception cref="HttpRequestException">No service answers.</exception>
    public Task<HttpResponseMessage> OpenAsync(string path, object body, Whom whom, CancellationToken cancellation)
    {
        var url = UrlOf(whom) ?? throw new HttpRequestException("Nobody of the cluster can be reached at the moment.");
        return _http.SendAsync(
            Make(HttpMethod.Post, url + path, JsonSerializer.SerializeToUtf8Bytes(body, GalaxyJson.Options), null),
            _viewer.Role,
            _viewer.Name,
            cancellation
        );
    }

    /// <summary>One particular coordinator; null: it does not answer.</summary>
    public Task<T?> AskNodeAsync<T>(string nodeUrl, string path, CancellationToken cancellation) =>
        _http.ReadAsync<T>(nodeUrl.TrimEnd('/') + path, ReadPatience, cancellation);

    public static async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var text = await response.Content.ReadAsStringAsync(cancellation);
        try
        {
            var json = JsonNode.Parse(text);
            return (string?)json?["detail"]
                ?? (string?)json?["error"]?["message"]
                ?? (string?)json?["title"]
                ?? $"HTTP {(int)response.StatusCode}";
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException or FormatException)
        {
            return $"HTTP {(int)response.StatusCode}";
        }
    }

    private static HttpRequestMessage Make(
        HttpMethod method,
        string url,
        byte[]? content,
        IReadOnlyDictionary<string, string>? headers
    )
    {
        var request = new HttpRequestMessage(method, url);
        if (content is not null)
            request.Content = new ByteArrayContent(content)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            };
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task<T?> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellation) =>
        response.StatusCode == HttpStatusCode.NoContent || response.Content.Headers.ContentLength == 0
            ? default
            : await response.Content.ReadFromJsonAsync<T>(GalaxyJson.Options, cancellation);

    private static string? NextOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Link", out var links)
        && links.FirstOrDefault(link => link.Contains("rel=\"next\"", StringComparison.Ordinal)) is { } next
            ? next[(next.IndexOf('<', StringComparison.Ordinal) + 1)..next.IndexOf('>', StringComparison.Ordinal)]
            : null;

    private string? UrlOf(Whom whom)
    {
        var view = _watcher.Current;
        var url = whom switch
        {
            Whom.Leader => view.UsableLeader?.Url,
            Whom.Coordinator => view.UsableLeader?.Url ?? view.Reachable.FirstOrDefault()?.Url,
            Whom.OneApi => view.Services.FirstOrDefault(service => service.Kind == "oneapi")?.Url,
            _ => view.Services.FirstOrDefault(service => service.Kind == "discovery")?.Url,
        };
        return url?.TrimEnd('/');
    }
}
