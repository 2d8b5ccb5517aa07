using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.EndToEnd.Tests.Network;
using Galaxy.LocalHosting.Control;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>
/// The places where people start Galaxy: proxies, languages, folders, homes, stores that come late.
/// <c>tests/apphost-places.sh</c> has those that need root or take longer.
/// </summary>
[Collection("system")]
public sealed class PlacesTests : IDisposable
{
    private static readonly string[] ProxyNames =
    [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ];

    private readonly string _parent = Directory.CreateTempSubdirectory("galaxy-places-").FullName;

    private string Data => Path.Combine(_parent, "mein Ordner ğüş 数据");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public async Task Behind_a_proxy_in_Turkish_without_a_home_and_in_a_folder_with_blanks_everything_becomes_healthy()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc, which only Linux has.");
        using var proxy = new CountingProxy();
        var environment = ProxyNames.ToDictionary(name => name, string? (_) => proxy.Url);
        foreach (
            var (name, value) in new[]
            {
                ("LANG", "tr_TR.UTF-8"),
                ("LC_ALL", "tr_TR.UTF-8"),
                ("HOME", null),
                ("NO_PROXY", null),
                ("no_proxy", null),
            }
        )
            environment[name] = value;
        using var appHost = AppHostProcess.Start(
            [
                "--GALAXY_DATA",
                Data,
                "--ports",
                "any",
                "--NODE71_BROADCAST_PORT",
                "47031",
                "--scenario",
                "cloud",
                "--no-workers",
            ],
            environment
        );
        var said = await appHost.WaitForAsync("Console (one-time link)", seconds: 120);
        Assert.DoesNotContain("warn", said, StringComparison.OrdinalIgnoreCase);

        // The orchestrator needs a home, and got one.
        Assert.True(Directory.Exists(Path.Combine(Data, "home", ".dcp")));
        using var http = Direct();
        var gateway = (await ResourcesAsync(http)).Single(resource => resource.Name == "gateway");
        foreach (var (endpoint, url) in gateway.Endpoints)
        {
            using var answer = await http.GetAsync(new Uri(new UriBuilder(url) { Host = "[::1]" }.Uri, "/alive"));
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{endpoint}: {answer.StatusCode}");
        }
        using (var dashboard = await http.GetAsync(new Uri(Line(said, "Dashboard  "))))
            Assert.Equal(HttpStatusCode.OK, dashboard.StatusCode);
        var (api, key) = (Line(said, "API  "), (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"))).Trim());
        var status = await GalaxyProgram.RunAsync(
            ["--url", api, "--api-key", key, "status"],
            environment: ProxyNames.ToDictionary(name => name, _ => proxy.Url)
        );
        Assert.True(status.Code == 0, status.Output);
        Assert.Empty(proxy.Lines);

        // What is outside is asked through the proxy.
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using (
            var set = await http.PutAsJsonAsync(
                api + "/api/v1/config/providers",
                new { outside = new { base_url = "http://models.example.com/v1", api_key = "sk-outside" } }
            )
        )
            Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await http.PostAsJsonAsync(
                api + "/v1/chat/completions",
                new { model = "outside/m", messages = new[] { new { role = "user", content = "hello" } } }
            );
            return answer.IsSuccessStatusCode
                && (await answer.Content.ReadAsStringAsync()).Contains("through the proxy", StringComparison.Ordinal);
        });
        Assert.All(proxy.Lines, line => Assert.Contains("//models.example.com/", line, StringComparison.Ordinal));

        appHost.Interrupt();
        Assert.Equal(0, await appHost.EndAsync(seconds: 15));
    }

    [Fact]
    public async Task Coordinators_that_start_before_their_store_wait_for_it_and_say_so()
    {
        using var appHost = AppHostProcess.Start([
            "--GALAXY_DATA",
            Data,
            "--ports",
            "any",
            "--NODE71_BROADCAST_PORT",
            "47031",
            "--scenario",
            "active-passive",
            "--no-workers",
        ]);
        var said = await appHost.WaitForAsync("Console (one-time link)", seconds: 120);
        var api = Line(said, "API  ");
        using var http = Direct();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"))).Trim()
        );
        using var control = Direct();

        string[] coordinators = ["coordinator-local", "coordinator-cloud"];
        await ActAsync(control, "redis", "stop");
        await Task.WhenAll(coordinators.Select(name => ActAsync(control, name, "restart")));
        foreach (var name in coordinators)
            await Eventually.TrueAsync(async () =>
                (await LogAsync(control, name)).Contains(
                    "This node waits and goes on by itself",
                    StringComparison.Ordinal
                )
            );
        Assert.Equal(
            0,
            (await ResourcesAsync(control))
                .Where(resource => coordinators.Contains(resource.Name))
                .Sum(resource => resource.Restarts)
        );

        await ActAsync(control, "redis", "start");
        await Eventually.TrueAsync(() => HasLeaderAsync(http, api));
        Assert.Equal(
            0,
            (await ResourcesAsync(control))
                .Where(resource => coordinators.Contains(resource.Name))
                .Sum(resource => resource.Restarts)
        );

        // What was stopped and started by hand is under the restart policy again.
        await ActAsync(control, "redis", "kill");
        await Eventually.TrueAsync(async () =>
            (await ResourcesAsync(control)).Single(resource => resource.Name == "redis")
                is { Restarts: 1, State: "healthy" }
        );
        await Eventually.TrueAsync(() => HasLeaderAsync(http, api));
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_is_refused_with_the_cure()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Nobody writes to /proc, not even root.");
        using var appHost = AppHostProcess.Start(["--GALAXY_DATA", "/proc/galaxy", "--ports", "any"]);

        Assert.Equal(2, await appHost.EndAsync(seconds: 60));
        var line = Assert.Single(appHost.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: The data folder /proc/galaxy cannot be written to", line, StringComparison.Ordinal);
        Assert.Contains("--GALAXY_DATA <folder>", line, StringComparison.Ordinal);
    }

    private static HttpClient Direct() =>
        new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>The address in a line of the start report.</summary>
    private static string Line(string said, string begins) =>
        said.Split('\n').First(line => line.StartsWith(begins, StringComparison.Ordinal))[begins.Length..].Trim();

    private static async Task<bool> HasLeaderAsync(HttpClient http, string api)
    {
        using var answer = await http.GetAsync(new Uri(api + "/api/v1/cluster"));
        return answer.IsSuccessStatusCode
            && await answer.Content.ReadFromJsonAsync<ClusterResponse>(GalaxyJson.Options) is { Leader: not null };
    }

    private async Task<Uri> ControlAsync(HttpClient http, string path)
    {
        using var runner = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "runner.json")));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            runner.RootElement.GetProperty("token").GetString()
        );
        return new Uri(runner.RootElement.GetProperty("url").GetString() + path);
    }

    private async Task<IReadOnlyList<ProcessStatus>> ResourcesAsync(HttpClient http) =>
        (
            await http.GetFromJsonAsync<List<ProcessStatus>>(
                await ControlAsync(http, "/resources"),
                JsonSerializerOptions.Web
            )
        )!;

    private async Task<string> LogAsync(HttpClient http, string name) =>
        await http.GetStringAsync(await ControlAsync(http, $"/resources/{name}/logs"));

    private async Task ActAsync(HttpClient http, string name, string act)
    {
        using var answer = await http.PostAsync(await ControlAsync(http, $"/resources/{name}/{act}"), null);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }
}
