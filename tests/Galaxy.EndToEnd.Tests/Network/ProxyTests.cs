using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Network;

/// <summary>The whole system on a machine whose environment names a proxy, as in many companies.</summary>
[Collection("system")]
public sealed class ProxyTests : IAsyncLifetime
{
    private const string Provider = "http://models.example.com/v1";

    private static readonly string[] Names =
    [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ];

    private readonly CountingProxy _proxy = new();
    private readonly RunningGalaxy _galaxy = new();

    public async ValueTask InitializeAsync()
    {
        // This process asks directly, whatever its children inherit.
        _ = HttpClient.DefaultProxy.IsBypassed(new Uri("http://127.0.0.1"));
        Set(_proxy.Url);
        try
        {
            await _galaxy.InitializeAsync();
        }
        finally
        {
            Set(null);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _galaxy.DisposeAsync();
        _proxy.Dispose();
    }

    private static void Set(string? value)
    {
        foreach (var name in Names)
            Environment.SetEnvironmentVariable(name, value);
    }

    private async Task SetProviderAsync()
    {
        using var answer = await _galaxy.Http.PutAsJsonAsync(
            "/api/v1/config/providers",
            new { outside = new { base_url = Provider, api_key = "sk-outside" } }
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static object Chat =>
        new { model = "outside/m", messages = new[] { new { role = "user", content = "hello" } } };

    private string[] Through(string text) =>
        [.. _proxy.Lines.Where(line => line.Contains(text, StringComparison.Ordinal))];

    [Fact]
    public async Task Calls_inside_the_cluster_never_use_the_proxy_and_calls_to_providers_do()
    {
        // Everything is healthy, and this is all that a system at work does among itself.
        var task = await _galaxy.SubmitAsync(new { action = "echo", @params = new { text = "hello" } });
        Assert.Equal(TaskState.Completed, (await _galaxy.FinishedAsync(task)).State);
        foreach (
            var path in new[]
            {
                "/nodes",
                "/openapi.json",
                "/api/v1/traces",
                "/api/v1/failover",
                "/api/v1/discovery/nodes",
            }
        )
            Assert.True((await _galaxy.Http.GetAsync(path)).IsSuccessStatusCode, path);
        using (var invoked = await _galaxy.Http.PostAsJsonAsync("/invoke/echo", new { text = "hello" }))
            Assert.True(invoked.IsSuccessStatusCode);
        var alive = new Uri(_galaxy.Host.Url("router-a", "http"), "/alive");
        var check = new
        {
            name = "own",
            kind = "http",
            target = alive,
            interval_seconds = 0.2,
            timeout_seconds = 2,
            threshold = 3,
        };
        using (var added = await _galaxy.Http.PostAsJsonAsync("/api/v1/failover/checks", check))
            Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () =>
            (await _galaxy.LeaderStatusAsync())?.Checks.Any(one =>
                one is { Name: "own", Healthy: true, LastRun: not null }
            ) == true
        );
        var environment = Names.ToDictionary(name => name, _ => _proxy.Url);
        var status = await GalaxyProgram.RunAsync(
            ["--url", _galaxy.Host.Url("gateway", "api").ToString(), "--api-key", _galaxy.Key, "status"],
            environment: environment
        );
        Assert.True(status.Code == 0, status.Output);
        Assert.Empty(_proxy.Lines);

        await SetProviderAsync();
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await _galaxy.Http.PostAsJsonAsync("/v1/chat/completions", Chat);
            return answer.IsSuccessStatusCode
                && (await answer.Content.ReadAsStringAsync()).Contains("through the proxy", StringComparison.Ordinal);
        });
        Assert.NotEmpty(Through($"POST {Provider}/chat/completions"));

        await _galaxy.SubmitAsync(new { action = "echo", callback_url = "http://callbacks.example.com/done" });
        await Eventually.TrueAsync(() => Task.FromResult(Through("POST http://callbacks.example.com/done").Length > 0));
        var outside = await _galaxy.FinishedAsync(
            await _galaxy.SubmitAsync(
                new { action = "http.request", @params = new { url = "http://pages.example.com/" } }
            )
        );
        Assert.Equal(TaskState.Completed, outside.State);
        Assert.NotEmpty(Through("GET http://pages.example.com/"));

        Assert.DoesNotContain(_proxy.Lines, line => !line.Contains(".example.com", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_name_of_the_setting_counts_and_NO_PROXY_is_honoured()
    {
        await SetProviderAsync();
        // Each has a proxy of its own: what a process that has ended had sent is nobody else's.
        foreach (var name in new[] { "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy" })
        {
            using var proxy = new CountingProxy();
            await AskAsync(Names.ToDictionary(any => any, any => any == name ? proxy.Url : ""));
            Assert.Contains(proxy.Lines, line => line.Contains(Provider, StringComparison.Ordinal));
        }
        foreach (
            var (name, value) in new[]
            {
                ("NO_PROXY", "other.org,example.com"),
                ("no_proxy", ".example.com"),
                ("NO_PROXY", "*"),
            }
        )
        {
            using var proxy = new CountingProxy();
            // Whatever the machine of the test excepts.
            var exceptions = new Dictionary<string, string>
            {
                ["NO_PROXY"] = "",
                ["no_proxy"] = "",
                [name] = value,
            };
            await AskAsync(
                new Dictionary<string, string>(Names.ToDictionary(any => any, _ => proxy.Url).Concat(exceptions))
            );
            Assert.True(proxy.Lines.IsEmpty, $"{name}={value}: {string.Join(", ", proxy.Lines)}");
        }
    }

    // One question to a OneApi of its own with this environment; whether it is answered is the proxy's business.
    private async Task AskAsync(Dictionary<string, string> environment)
    {
        using var oneapi = new ExtraProcess(
            _galaxy,
            "oneapi-a",
            "oneapi-proxy",
            ["HTTP_PORT"],
            environment: environment
        );
        using var http = new HttpClient { BaseAddress = oneapi.Url, Timeout = TimeSpan.FromSeconds(60) };
        http.DefaultRequestHeaders.Authorization = _galaxy.Http.DefaultRequestHeaders.Authorization;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var answer = await http.PostAsJsonAsync("/v1/chat/completions", Chat);
                    // 404: it has not heard of the provider yet; 503: of nobody yet.
                    return (int)answer.StatusCode is not (404 or 503)
                        || (await answer.Content.ReadFromJsonAsync<JsonNode>())!
                            .ToJsonString()
                            .Contains("'outside'", StringComparison.Ordinal);
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            seconds: 60
        );
    }
}
