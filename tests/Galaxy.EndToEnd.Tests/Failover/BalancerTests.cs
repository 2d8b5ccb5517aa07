using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>
/// Three doors behind a balancer that is configured as the page of the third scenario says, word for word.
/// </summary>
[Collection("shared system")]
public sealed class BalancerTests(RunningGalaxy galaxy) : IDisposable
{
    private const string Page = "docs/scenarios/3-multi-master.md";
    private static readonly string[] Ports = ["API_PORT", "WEB_UI_PORT", "WEBSOCKET_PORT"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("galaxy-balancer-");
    private readonly SteadyClients _load = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("nginx")]
    [InlineData("haproxy")]
    public async Task Who_comes_by_the_balancer_does_not_notice_that_a_door_dies(string program)
    {
        var file = new[] { "/usr/sbin/", "/usr/bin/" }.Select(folder => folder + program).FirstOrDefault(File.Exists);
        Assert.SkipWhen(file is null, $"{program} is not installed.");
        using var second = new ExtraProcess(galaxy, "gateway", "gateway-2", Ports);
        using var third = new ExtraProcess(galaxy, "gateway", "gateway-3", Ports);
        var port = Tests.Ports.Free();
        using var balancer = Start(
            file!,
            program,
            port,
            await SnippetAsync(
                program,
                port,
                galaxy.Host.Url("gateway", "api"),
                second.Address("API_PORT"),
                third.Address("API_PORT")
            )
        );
        try
        {
            var (url, key) = (new Uri($"http://127.0.0.1:{port}"), new AuthenticationHeaderValue("Bearer", galaxy.Key));
            using var doors = new TwoDoors(url, url, key);
            foreach (var door in (Uri[])[second.Address("API_PORT"), third.Address("API_PORT"), url])
                await galaxy.AnswersAsync(door);
            var (gaps, streamGaps) = (new Longest(), new Longest());
            var sockets = Enumerable
                .Range(0, 6)
                .Select(i =>
                    i % 2 == 0
                        ? new HeldSocket([url], $"/ws/device/by-{program}-{i}", galaxy.Key, $"by-{program}-{i}", gaps)
                        : new HeldSocket([url], "/ws/status", galaxy.Key, null, gaps)
                )
                .ToList();
            var streams = Enumerable
                .Range(0, 6)
                .Select(_ => new HeldStream(doors, "/api/v1/state/watch?ns=" + program, streamGaps))
                .ToList();
            using var stop = new CancellationTokenSource();
            using var leave = new CancellationTokenSource();
            var held = sockets
                .Select(one => one.HoldAsync(leave.Token))
                .Concat(streams.Select(one => one.HoldAsync(leave.Token)))
                .ToList();
            await Eventually.TrueAsync(() =>
                Task.FromResult(sockets.All(one => one.IsOpen) && streams.All(one => one.Opened > 0))
            );
            using var http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(15) };
            http.DefaultRequestHeaders.Authorization = key;
            Task[] clients =
            [
                RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/cluster"), stop.Token),
                RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/v1/models"), stop.Token),
                RepeatAsync(
                    http,
                    i => new HttpRequestMessage(HttpMethod.Put, $"/api/v1/state/{program}/{i % 5}")
                    {
                        Content = JsonContent.Create(i),
                    },
                    stop.Token
                ),
            ];

            foreach (var door in (ExtraProcess[])[second, third])
            {
                await door.KillAndStartAsync();
                await galaxy.AnswersAsync(door.Address("API_PORT"));
                await Eventually.TrueAsync(() => Task.FromResult(sockets.All(one => one.IsOpen)));
                await TakenInAsync(door.Address("API_PORT"));
            }

            await stop.CancelAsync();
            await Task.WhenAll(clients);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{program}: {_load.Sent} requests, sockets without a door for {gaps.Take()}, streams "
                    + $"{streamGaps.Take()}"
            );
            Assert.True(
                _load.Failures.IsEmpty,
                $"{_load.Failures.Count} of {_load.Sent} failed:\n{string.Join('\n', _load.Failures.Take(12))}"
            );
            Assert.All(streams, stream => Assert.Empty(stream.Failures));
            // Events come as they happen, not when a buffer is full.
            using (var put = await galaxy.Http.PutAsJsonAsync($"/api/v1/state/{program}/last", "word"))
                Assert.True(put.IsSuccessStatusCode);
            await Eventually.TrueAsync(
                () => Task.FromResult(streams.All(stream => stream.Last.GetValueOrDefault("last") == "\"word\"")),
                seconds: 5
            );
            await leave.CancelAsync();
            await Task.WhenAll(held);
        }
        finally
        {
            balancer.Kill(entireProcessTree: true);
            await balancer.WaitForExitAsync();
        }
    }

    /// <summary>The page's lines, with other addresses.</summary>
    private static async Task<string> SnippetAsync(string program, int port, params Uri[] doors)
    {
        var page = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, Page))).ReplaceLineEndings("\n");
        var begin = page.IndexOf($"```{program}\n", StringComparison.Ordinal) + program.Length + 4;
        var snippet = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)];
        foreach (var (name, door) in new[] { "a", "b", "c" }.Zip(doors))
            snippet = snippet.Replace($"node-{name}.example.org:8000", door.Authority, StringComparison.Ordinal);
        return snippet
            .Replace("listen 8000;", $"listen 127.0.0.1:{port};", StringComparison.Ordinal)
            .Replace("bind :8000", $"bind 127.0.0.1:{port}", StringComparison.Ordinal);
    }

    private Process Start(string file, string program, int port, string snippet)
    {
        var config = Path.Combine(_folder.FullName, program + ".conf");
        // What Debian's own nginx.conf says around such a snippet, in a folder of the test's.
        File.WriteAllText(
            config,
            program == "haproxy"
                ? snippet
                : $$"""
                worker_processes 1;
                pid {{_folder.FullName}}/nginx-{{port}}.pid;
                events { worker_connections 512; }
                http {
                access_log off;
                client_body_temp_path {{_folder.FullName}}/body; proxy_temp_path {{_folder.FullName}}/proxy; fastcgi_temp_path {{_folder.FullName}}/f; uwsgi_temp_path {{_folder.FullName}}/u; scgi_temp_path {{_folder.FullName}}/s;
                {{snippet}}
                }
                """
        );
        string[] arguments =
            program == "haproxy"
                ? ["-db", "-f", config]
                :
                [
                    "-p",
                    _folder.FullName,
                    "-e",
                    Path.Combine(_folder.FullName, "error.log"),
                    "-c",
                    config,
                    "-g",
                    "daemon off;",
                ];
        return Process.Start(new ProcessStartInfo(file, arguments))!;
    }

    private Task RepeatAsync(HttpClient http, Func<int, HttpRequestMessage> request, CancellationToken stop) =>
        _load.RepeatAsync(
            TimeSpan.FromMilliseconds(20),
            make => http.SendAsync(make(), CancellationToken.None),
            request,
            stop
        );

    /// <summary>
    /// Waits until the balancer gives a door work again: it has answered some of what the clients ask.
    /// </summary>
    private async Task TakenInAsync(Uri door)
    {
        var before = await AnsweredAsync(door);
        await Eventually.TrueAsync(async () => await AnsweredAsync(door) >= before + 10);
    }

    private async Task<double> AnsweredAsync(Uri door)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(door, "/metrics"));
        using var answer = await galaxy.Http.SendAsync(request);
        return (await answer.Content.ReadAsStringAsync())
            .Split('\n')
            .Where(line =>
                line.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)
                && line.Contains("route=\"/api/v1/cluster\"", StringComparison.Ordinal)
            )
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
