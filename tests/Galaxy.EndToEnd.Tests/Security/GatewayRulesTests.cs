using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Galaxy.EndToEnd.Tests.Console;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>Rates, web pages of others, tokens between services, and what <c>config/gateway</c> changes.</summary>
[Collection("system")]
public sealed class GatewayRulesTests(RunningGalaxy galaxy, Browser browser)
    : IClassFixture<RunningGalaxy>,
        IClassFixture<Browser>
{
    private async Task ConfigureAsync(object? document)
    {
        using var changed = document is null
            ? await galaxy.Http.DeleteAsync("/api/v1/config/gateway")
            : await galaxy.Http.PutAsJsonAsync("/api/v1/config/gateway", document);
        Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Rates_are_in_force_as_soon_as_they_are_set_and_a_nonsense_is_refused()
    {
        using var nonsense = await galaxy.Http.PutAsJsonAsync(
            "/api/v1/config/gateway",
            new { per_key = new { requests_per_second = -1 } }
        );
        Assert.Equal(HttpStatusCode.BadRequest, nonsense.StatusCode);
        Assert.Contains("requests_per_second", await nonsense.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await ConfigureAsync(new { per_key = new { requests_per_second = 2, burst = 5 } });
        HttpResponseMessage? refused = null;
        await Eventually.TrueAsync(async () =>
        {
            using var all = new DisposableList<HttpResponseMessage>(
                await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => galaxy.Http.GetAsync("/api/v1/cluster")))
            );
            refused = all.Items.FirstOrDefault(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
            return refused?.Headers.RetryAfter is not null
                && all.Items.Count(answer => answer.IsSuccessStatusCode) <= 6;
        });
        // Its own rate keeps nobody from taking it back.
        await Eventually.TrueAsync(async () =>
            (await galaxy.Http.DeleteAsync("/api/v1/config/gateway")).IsSuccessStatusCode
        );
        await Eventually.TrueAsync(async () =>
            (await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => galaxy.Http.GetAsync("/api/v1/cluster")))).All(
                answer => answer.IsSuccessStatusCode
            )
        );
    }

    [Fact]
    public async Task Who_tries_keys_is_refused_for_a_while_even_with_the_right_one()
    {
        await ConfigureAsync(new { wrong_keys_per_minute = 20 });
        using var guessing = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        guessing.DefaultRequestHeaders.Add("X-API-Key", "gx-guess");
        await Eventually.TrueAsync(async () =>
            (await guessing.GetAsync("/v1/models")).StatusCode == HttpStatusCode.TooManyRequests
        );

        using var right = await galaxy.Http.GetAsync("/api/v1/cluster");
        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.InRange(right.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);

        // The way back is not through that door: a coordinator is asked itself.
        var leader = await LeaderClientAsync();
        using var undone = await leader.DeleteAsync("/api/v1/config/gateway");
        Assert.True(undone.IsSuccessStatusCode);
        await Eventually.TrueAsync(async () => (await galaxy.Http.GetAsync("/api/v1/cluster")).IsSuccessStatusCode);
    }

    private async Task<HttpClient> LeaderClientAsync()
    {
        foreach (var name in new[] { "coordinator-a", "coordinator-b", "coordinator-c" })
        {
            var client = galaxy.Client(name);
            using var answer = await client.GetAsync("/api/v1/cluster");
            if (answer.IsSuccessStatusCode)
                return client;
        }
        throw new InvalidOperationException("no coordinator answers");
    }

    [Fact]
    public async Task A_token_between_services_is_good_once_for_its_call_and_not_at_the_gateway()
    {
        var tokens = new ServiceTokens(new NodeOptions { NodeId = "test", ApiKey = galaxy.Key }, TimeProvider.System);
        var forger = new ServiceTokens(
            new NodeOptions { NodeId = "test", ApiKey = "another key of the same length, but another" },
            TimeProvider.System
        );
        async Task<(HttpStatusCode Status, string Text)> AskAsync(Uri address, string token)
        {
            using var client = new HttpClient { BaseAddress = address };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await client.GetAsync("/api/v1/cluster");
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        var coordinator = galaxy.Host.Url("coordinator-a", "http");
        var token = tokens.Mint("anna", AccessRole.Client, "GET", "/api/v1/cluster");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(coordinator, token)).Status);
        Assert.Contains("has been used", (await AskAsync(coordinator, token)).Text, StringComparison.Ordinal);
        Assert.Contains(
            "not for this call",
            (await AskAsync(coordinator, tokens.Mint("anna", AccessRole.Client, "GET", "/api/v1/tasks"))).Text,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "not made with this cluster's key",
            (await AskAsync(coordinator, forger.Mint("anna", AccessRole.Admin, "GET", "/api/v1/cluster"))).Text,
            StringComparison.Ordinal
        );
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (
                await AskAsync(
                    galaxy.Http.BaseAddress!,
                    tokens.Mint("anna", AccessRole.Admin, "GET", "/api/v1/cluster")
                )
            ).Status
        );
    }

    [Fact]
    public async Task A_page_of_somebody_else_cannot_use_the_consoles_cookie()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var evil = builder.Build();
        evil.MapGet("/", () => Results.Content("<!doctype html><title>evil</title>", "text/html"));
        await evil.StartAsync();
        // Another host name is another site; the same one with another port is another origin.
        var console = new UriBuilder(galaxy.Host.Url("gateway", "ui")) { Host = "localhost" }.Uri;
        var page = await browser.OpenAsync();
        await page.GotoAsync(new Uri(console, galaxy.SignInPath).ToString());
        await Microsoft.Playwright.Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Overview");
        foreach (
            var origin in new[]
            {
                evil.Urls.First(),
                new UriBuilder(evil.Urls.First()) { Host = "localhost" }.Uri.ToString(),
            }
        )
        {
            var other = await page.Context.NewPageAsync();
            await other.GotoAsync(origin);
            var read = await other.EvaluateAsync<string>(
                $"fetch('{console}', {{credentials: 'include'}}).then(answer => 'read ' + answer.status, "
                    + "failure => 'failed')"
            );
            var posted = await other.EvaluateAsync<string>(
                $"fetch('{console}sign-out', {{method: 'POST', credentials: 'include', mode: "
                    + $"'no-cors'}}).then(answer => answer.type, failure => 'failed')"
            );
            var socket = await other.EvaluateAsync<string>(
                $"new Promise(done => {{ const socket = new WebSocket('{console.ToString().Replace("http", "ws", StringComparison.Ordinal)}_blazor'); socket.onopen = () => done('open'); socket.onerror = () => done('failed'); }})"
            );
            Assert.Equal(("failed", "failed"), (read, socket));
            Assert.Contains(posted, new[] { "opaque", "failed" });
            await other.CloseAsync();
        }
        await page.ReloadAsync();
        await Microsoft.Playwright.Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Overview");
    }

    [Fact]
    public async Task Pages_may_ask_when_their_origin_is_allowed_and_answers_tell_browsers_to_be_careful()
    {
        const string Origin = "https://example.org";
        async Task<HttpResponseMessage> PreflightAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, "/api/v1/tasks");
            request.Headers.Add("Origin", Origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            return await galaxy.Http.SendAsync(request);
        }
        using var refused = await PreflightAsync();
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        await ConfigureAsync(new { allowed_origins = new[] { Origin } });
        await Eventually.TrueAsync(async () =>
            (await PreflightAsync()) is { StatusCode: HttpStatusCode.NoContent } allowed
            && allowed.Headers.GetValues("Access-Control-Allow-Origin").Single() == Origin
        );
        await ConfigureAsync(null);

        using var answer = await galaxy.Http.GetAsync("/api/v1/cluster");
        Assert.Equal(
            ("nosniff", "DENY"),
            (
                answer.Headers.GetValues("X-Content-Type-Options").Single(),
                answer.Headers.GetValues("X-Frame-Options").Single()
            )
        );
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task A_clients_word_of_where_it_comes_from_counts_only_behind_a_proxy_that_is_trusted()
    {
        async Task<string> FromAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/access/keys/nobody");
            request.Headers.Add("X-Forwarded-For", "203.0.113.7");
            using var answer = await galaxy.Http.SendAsync(request);
            return (string)
                (await galaxy.Http.GetFromJsonAsync<System.Text.Json.Nodes.JsonArray>("/api/v1/audit?limit=10"))!.First(
                    act => (string?)act!["what"] == "DELETE /api/v1/access/keys/nobody"
                )!["from"]!;
        }
        await Eventually.TrueAsync(async () => (await FromAsync()).EndsWith("127.0.0.1", StringComparison.Ordinal));
        await ConfigureAsync(new { trusted_proxies = new[] { "127.0.0.0/8" } });
        await Eventually.TrueAsync(async () => await FromAsync() == "203.0.113.7");
        await ConfigureAsync(null);
    }

    [Fact]
    public async Task A_socket_shows_its_key_in_the_address_and_the_address_goes_no_further()
    {
        var address = new Uri($"ws://127.0.0.1:{galaxy.Host.Url("gateway", "ws").Port}/ws/status?token={galaxy.Key}");
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(address, CancellationToken.None);
        await socket.ReceiveAsync(new byte[65536].AsMemory(), CancellationToken.None);
        foreach (var name in galaxy.Host.Names)
            Assert.DoesNotContain(galaxy.Host.Output(name), line =>
                line.Contains(galaxy.Key, StringComparison.Ordinal)
            );
        using var wrong = new ClientWebSocket();
        await Assert.ThrowsAsync<WebSocketException>(() =>
            wrong.ConnectAsync(
                new Uri(address.ToString().Replace(galaxy.Key, "wrong", StringComparison.Ordinal)),
                CancellationToken.None
            )
        );
    }

    [Fact]
    public async Task Reads_that_may_be_a_moment_old_are_spread_over_the_coordinators()
    {
        async Task<HashSet<string>> AnsweringAsync(bool any)
        {
            var nodes = new HashSet<string>();
            for (var i = 0; i < 40; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sync/status");
                if (any)
                    request.Headers.Add("X-Galaxy-Read", "any");
                using var answer = await galaxy.Http.SendAsync(request);
                nodes.Add(
                    (string)(await answer.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonNode>())!["node_id"]!
                );
            }
            return nodes;
        }
        Assert.Single(await AnsweringAsync(any: false));
        await Eventually.TrueAsync(async () => (await AnsweringAsync(any: true)).Count == 3);
    }

    [Fact]
    public async Task Metrics_are_for_operators_and_the_documents_for_everybody()
    {
        var metrics = await galaxy.Http.GetStringAsync("/metrics");
        Assert.Contains("http_server_request_duration", metrics, StringComparison.Ordinal);
        Assert.Contains("galaxy_gateway_held", metrics, StringComparison.Ordinal);
        using var anonymous = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        Assert.Equal(HttpStatusCode.Unauthorized, (await anonymous.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await anonymous.GetAsync("/openapi.json")).StatusCode);

        var page = await browser.OpenAsync();
        await page.GotoAsync(new Uri(galaxy.Http.BaseAddress!, "/docs").ToString());
        await Microsoft
            .Playwright.Assertions.Expect(page.GetByText("Galaxy coordinator (Node_71)").First)
            .ToBeVisibleAsync();
        await Browser.PictureAsync(page, "docs");
    }

    private sealed class DisposableList<T>(T[] items) : IDisposable
        where T : IDisposable
    {
        public T[] Items => items;

        public void Dispose()
        {
            foreach (var item in items)
                item.Dispose();
        }
    }
}
