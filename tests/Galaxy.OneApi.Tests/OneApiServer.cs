using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Galaxy.OneApi.Tests;

/// <summary>
/// The service in this process, on a port of its own, with settings that a test may change while it runs.
/// </summary>
public sealed class OneApiServer : IAsyncDisposable
{
    public const string Key = "the-key-of-the-cluster-0123456789";

    private readonly WebApplication _app;

    private OneApiServer(WebApplication app, int port)
    {
        _app = app;
        Url = new Uri($"http://127.0.0.1:{port}");
        Http = Client(Key);
    }

    public Uri Url { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public HttpClient Client(string? key)
    {
        var client = new HttpClient(
            new SocketsHttpHandler { MaxConnectionsPerServer = 2000, ResponseDrainTimeout = TimeSpan.Zero }
        )
        {
            BaseAddress = Url,
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <param name="settings">As configuration names them, for instance <c>OneApi:Providers:one:BaseUrl</c>.</param>
    public static async Task<OneApiServer> StartAsync(params (string Name, string? Value)[] settings)
    {
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort();
            var arguments = settings
                .Prepend(("Logging:LogLevel:Default", "Error"))
                .Append(("GALAXY_API_KEY", Key))
                .Append(("GALAXY_BIND", "127.0.0.1"))
                .Append(("HTTP_PORT", port.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                .Append(("Galaxy_NODE_ID", "oneapi-test"))
                .Where(setting => setting.Item2 is not null)
                .Select(setting => $"--{setting.Item1}={setting.Item2}");
            var app = OneApiApp.Build([.. arguments]);
            try
            {
                await app.StartAsync();
                return new OneApiServer(app, port);
            }
            catch (IOException) when (attempt < 5)
            {
                await app.DisposeAsync();
            }
        }
    }

    /// <summary>Changes settings of the running service, as the cluster's configuration does.</summary>
    public void Set(params (string Name, string? Value)[] settings)
    {
        foreach (var (name, value) in settings)
            _app.Configuration[name] = value;
        ((IConfigurationRoot)_app.Configuration).Reload();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    public async Task<(HttpResponseMessage Response, JsonNode? Json)> PostAsync(
        string path,
        string json,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(json) };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response, text.StartsWith('{') ? JsonNode.Parse(text) : null);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
