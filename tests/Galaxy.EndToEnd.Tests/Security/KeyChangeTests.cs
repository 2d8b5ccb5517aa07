using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.EndToEnd.Tests.Failover;
using Galaxy.EndToEnd.Tests.Models;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>
/// The cluster's key is changed by three rolling restarts, as the operations page says, while everything is used.
/// </summary>
[Collection("system")]
public sealed class KeyChangeTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private const string New = "gx-the-key-from-now-on-0123456789";
    private readonly SteadyClients _load = new();
    private volatile AuthenticationHeaderValue _key = null!;

    [Fact]
    public async Task Nobody_is_refused_while_the_key_is_changed_and_then_the_old_one_opens_nothing()
    {
        var old = galaxy.Key;
        _key = Bearer(old);
        using var provider = new Provider();
        Assert.Equal(
            0,
            (
                await GalaxyProgram.RunAsync(
                    galaxy,
                    "config",
                    "set",
                    "providers.home",
                    $$"""{"base_url": "{{provider.Address}}", "api_key": "sk-of-the-provider-1234"}"""
                )
            ).Code
        );
        var (anna, guest) = (
            await CreateAsync("/api/v1/access/keys", new { name = "anna", role = "client" }),
            await CreateAsync("/api/v1/keys", new { name = "guest" })
        );
        using var second = new ExtraProcess(
            galaxy,
            "gateway",
            "gateway-2",
            ["API_PORT", "WEB_UI_PORT", "WEBSOCKET_PORT"]
        );
        using var doors = new TwoDoors(
            galaxy.Host.Url("gateway", "api"),
            second.Address("API_PORT"),
            Bearer("of-each-request")
        );
        await galaxy.AnswersAsync(second.Address("API_PORT"));
        using var browser = new HttpClient(
            new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
        )
        {
            BaseAddress = galaxy.Host.Url("gateway", "ui"),
        };
        (await browser.GetAsync(galaxy.SignInPath)).Dispose();

        using var stop = new CancellationTokenSource();
        var clients = new[]
        {
            RepeatAsync(doors, () => _key, _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/cluster"), stop.Token),
            RepeatAsync(
                doors,
                () => _key,
                i => new HttpRequestMessage(HttpMethod.Put, $"/api/v1/state/changing/{i % 10}")
                {
                    Content = JsonContent.Create(i),
                },
                stop.Token
            ),
            RepeatAsync(
                doors,
                () => _key,
                _ => new HttpRequestMessage(HttpMethod.Get, "/route/llm.models"),
                stop.Token
            ),
            RepeatAsync(
                doors,
                () => _key,
                i =>
                {
                    var submit = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
                    {
                        Content = JsonContent.Create(new { action = "echo", @params = new { text = "changing" } }),
                    };
                    submit.Headers.Add("Idempotency-Key", $"changing-{i}");
                    return submit;
                },
                stop.Token
            ),
            RepeatAsync(
                doors,
                () => Bearer(anna),
                _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/state/changing"),
                stop.Token
            ),
            RepeatAsync(
                doors,
                () => Bearer(guest),
                _ => new HttpRequestMessage(HttpMethod.Get, "/v1/models"),
                stop.Token
            ),
        };

        await EverywhereAsync(second, ("GALAXY_API_KEY_ALSO", New));
        await EverywhereAsync(second, ("GALAXY_API_KEY", New), ("GALAXY_API_KEY_ALSO", old));
        await SealedAnewAsync();
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/")).StatusCode);

        // Who uses the cluster's key takes the new one now.
        _key = Bearer(New);
        galaxy.Http.DefaultRequestHeaders.Authorization = _key;
        await RestartAsync(galaxy.Host.Names.Where(IsWorker), ("GALAXY_API_KEY", New), ("GALAXY_API_KEY_ALSO", ""));
        await EverywhereAsync(second, ("GALAXY_API_KEY_ALSO", ""));

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        TestContext.Current.TestOutputHelper?.WriteLine($"{_load.Sent} requests");
        Assert.True(
            _load.Failures.IsEmpty,
            $"{_load.Failures.Count} of {_load.Sent} were refused:\n{string.Join('\n', _load.Failures.Take(12))}"
        );
        Assert.True(_load.Sent > 1000, $"only {_load.Sent} requests");

        // The old key, and the session that it opened, are worth nothing; what was given out is as good as before.
        foreach (
            var address in galaxy
                .Host.Names.Where(name => !IsWorker(name) && name is not ("redis" or "gateway"))
                .Select(name => galaxy.Host.Url(name, "http"))
                .Append(galaxy.Host.Url("gateway", "api"))
        )
            Assert.Equal(
                (HttpStatusCode.Unauthorized, true),
                (
                    await StatusAsync(address, old),
                    await StatusAsync(address, New) is HttpStatusCode.OK or HttpStatusCode.NotFound
                )
            );
        Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync("/")).StatusCode);
        Assert.Equal(
            HttpStatusCode.OK,
            await StatusAsync(galaxy.Host.Url("gateway", "api"), anna, "/api/v1/state/changing")
        );
        // A secret that was sealed under the old key is used under the new one, and work goes on.
        using var models = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        models.DefaultRequestHeaders.Authorization = Bearer(guest);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await models.PostAsJsonAsync(
                "/v1/chat/completions",
                new { model = "home/parrot", messages = new[] { new { role = "user", content = "hello" } } }
            );
            return answer.StatusCode == HttpStatusCode.OK;
        });
        Assert.Equal("Bearer sk-of-the-provider-1234", provider.Authorization);
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } })
                )
            ).State
        );
    }

    private static bool IsWorker(string name) => name.StartsWith("worker", StringComparison.Ordinal);

    private static AuthenticationHeaderValue Bearer(string key) => new("Bearer", key);

    private async Task<string> CreateAsync(string path, object body)
    {
        using var created = await galaxy.Http.PostAsJsonAsync(path, body);
        return (await created.Content.ReadFromJsonAsync<JsonNode>())!["secret"]!.GetValue<string>();
    }

    private static async Task<HttpStatusCode> StatusAsync(
        Uri address,
        string key,
        string path = "/api/v1/a-path-of-nobody"
    )
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = Bearer(key);
        using var answer = await http.GetAsync(path);
        return answer.StatusCode;
    }

    private Task RepeatAsync(
        TwoDoors doors,
        Func<AuthenticationHeaderValue> key,
        Func<int, HttpRequestMessage> request,
        CancellationToken stop
    ) =>
        _load.RepeatAsync(
            TimeSpan.FromMilliseconds(50),
            make =>
                doors.SendAsync(
                    () =>
                    {
                        var sent = make();
                        sent.Headers.Authorization = key();
                        return sent;
                    },
                    cancellation: CancellationToken.None
                ),
            request,
            stop
        );

    /// <summary>
    /// One step: every service of the cluster is started again with these settings, never all of a kind at once.
    /// </summary>
    private async Task EverywhereAsync(ExtraProcess second, params (string Name, string Value)[] settings)
    {
        foreach (
            var group in galaxy
                .Host.Names.Where(name => !IsWorker(name) && name != "redis")
                .GroupBy(name => name == "gateway" || name.EndsWith("-a", StringComparison.Ordinal))
        )
            await RestartAsync(group, settings);
        foreach (var (name, value) in settings)
            second.SetEnvironment(name, value);
        await second.KillAndStartAsync();
        // Before the first one goes again.
        await galaxy.AnswersAsync(second.Address("API_PORT"));
    }

    private async Task RestartAsync(IEnumerable<string> resources, params (string Name, string Value)[] settings)
    {
        await Task.WhenAll(
            resources.Select(async resource =>
            {
                foreach (var (name, value) in settings)
                    galaxy.Host.SetEnvironment(resource, name, value);
                await galaxy.Host.StopAsync(resource);
                galaxy.Host.Start(resource);
            })
        );
        await galaxy.SettledAsync();
    }

    private Task SealedAnewAsync() =>
        Eventually.TrueAsync(() =>
            Task.FromResult(
                galaxy
                    .Host.Names.SelectMany(galaxy.Host.Output)
                    .Any(line => line.Contains("are sealed under the present key now", StringComparison.Ordinal))
            )
        );
}
