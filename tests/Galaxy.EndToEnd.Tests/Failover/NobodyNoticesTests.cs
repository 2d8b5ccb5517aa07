using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>
/// Two gateways, and clients that know both: 500 requests a second that may be sent twice, 50 sockets, 20 streams of
/// events, and what may not be sent twice, while leaders are killed and moved, every service is restarted, the store
/// too, and a gateway killed. Nothing fails, nothing is done twice, no event is missed.
/// </summary>
[Collection("system")]
public sealed class NobodyNoticesTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private const int EveryMs = 20;

    private readonly SteadyClients _load = new();
    private readonly ConcurrentDictionary<string, string> _tasks = [];
    private readonly ConcurrentDictionary<string, bool?> _once = [];
    private readonly ConcurrentDictionary<string, string> _written = [];
    private readonly Longest _socketGaps = new(),
        _streamGaps = new();

    private Task RepeatAsync(
        TwoDoors doors,
        Func<int, HttpRequestMessage> request,
        CancellationToken stop,
        Func<HttpRequestMessage, HttpResponseMessage, Task>? answered = null
    ) =>
        _load.RepeatAsync(
            TimeSpan.FromMilliseconds(EveryMs),
            make => doors.SendAsync(make, cancellation: CancellationToken.None),
            request,
            stop,
            answered
        );

    /// <summary>
    /// Submits what may not be sent twice, and notes what it was told: done (true), not done (false), or perhaps
    /// (null).
    /// </summary>
    private async Task SubmitOnceAsync(HttpClient http, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(EveryMs));
        while (!stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            var text = Guid.NewGuid().ToString("N");
            try
            {
                using var answer = await http.PostAsJsonAsync(
                    "/api/v1/tasks",
                    new { action = "echo", @params = new { text } },
                    CancellationToken.None
                );
                var said = await answer.Content.ReadFromJsonAsync<JsonNode>(CancellationToken.None);
                _once[text] =
                    answer.IsSuccessStatusCode ? true
                    : said!["may_have_run"] is { } may && !may.GetValue<bool>() ? false
                    : null;
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                _once[text] = null;
            }
        }
    }

    private async IAsyncEnumerable<JsonNode> TasksAsync()
    {
        for (var page = "/api/v1/tasks?limit=500"; page is not null; )
        {
            using var answer = await galaxy.Http.GetAsync(page);
            foreach (var task in (await answer.Content.ReadFromJsonAsync<JsonArray>())!)
                yield return task!;
            page =
                answer.Headers.TryGetValues("Link", out var links) && links.First() is var link
                    ? link[
                        (link.IndexOf('<', StringComparison.Ordinal) + 1)..link.IndexOf('>', StringComparison.Ordinal)
                    ]
                    : null;
        }
    }

    [Fact]
    public async Task Clients_see_no_failure_while_leaders_services_the_store_and_a_gateway_go_and_come()
    {
        using var second = new ExtraProcess(
            galaxy,
            "gateway",
            "gateway-2",
            ["API_PORT", "WEB_UI_PORT", "WEBSOCKET_PORT"]
        );
        var (firstUrl, secondUrl) = (galaxy.Host.Url("gateway", "api"), second.Address("API_PORT"));
        var key = galaxy.Http.DefaultRequestHeaders.Authorization!;
        using var doors = new TwoDoors(firstUrl, secondUrl, key);
        using var http = new HttpClient { BaseAddress = galaxy.Http.BaseAddress, Timeout = TimeSpan.FromSeconds(15) };
        http.DefaultRequestHeaders.Authorization = key;
        await galaxy.AnswersAsync(secondUrl);

        using var stop = new CancellationTokenSource();
        using var leave = new CancellationTokenSource();
        Uri[] sockets = [firstUrl, secondUrl];
        var held = Enumerable
            .Range(0, 50)
            .Select(i =>
                i % 2 == 0
                    ? new HeldSocket(
                        i % 4 == 0 ? sockets : [secondUrl, firstUrl],
                        $"/ws/device/held-{i}",
                        galaxy.Key,
                        $"held-{i}",
                        _socketGaps
                    )
                    : new HeldSocket(
                        i % 4 == 1 ? sockets : [secondUrl, firstUrl],
                        "/ws/status",
                        galaxy.Key,
                        null,
                        _socketGaps
                    )
            )
            .ToList();
        var streams = Enumerable
            .Range(0, 20)
            .Select(_ => new HeldStream(doors, "/api/v1/state/watch?ns=unnoticed", _streamGaps))
            .ToList();
        // Three of each: more than 500 a second, though each waits for its answer.
        var clients = Enumerable
            .Range(0, 3)
            .SelectMany(copy =>
                (Task[])
                    [
                        RepeatAsync(doors, _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/cluster"), stop.Token),
                        RepeatAsync(
                            doors,
                            _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/devices/worker-1"),
                            stop.Token
                        ),
                        RepeatAsync(
                            doors,
                            i => new HttpRequestMessage(HttpMethod.Put, $"/api/v1/state/unnoticed/{copy}-{i % 10}")
                            {
                                Content = JsonContent.Create(new { i }),
                            },
                            stop.Token,
                            async (put, answer) =>
                                _written[put.RequestUri!.OriginalString.Split('/')[^1]] = (
                                    await answer.Content.ReadFromJsonAsync<JsonNode>()
                                )!["value"]!.ToJsonString()
                        ),
                        RepeatAsync(
                            doors,
                            i => new HttpRequestMessage(
                                HttpMethod.Get,
                                i % 2 == 0 ? "/route/llm.models" : "/v1/models"
                            ),
                            stop.Token
                        ),
                        RepeatAsync(
                            doors,
                            i =>
                            {
                                // The same one when it is sent again through the other door.
                                var submit = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
                                {
                                    Content = JsonContent.Create(
                                        new { action = "echo", @params = new { text = "once" } }
                                    ),
                                };
                                submit.Headers.Add("Idempotency-Key", $"{copy}-{i}");
                                return submit;
                            },
                            stop.Token,
                            async (submit, answer) =>
                                _tasks[submit.Headers.GetValues("Idempotency-Key").Single()] = (
                                    await answer.Content.ReadFromJsonAsync<JsonNode>()
                                )!["task_id"]!.GetValue<string>()
                        ),
                    ]
            )
            .Append(SubmitOnceAsync(http, stop.Token))
            .ToList();
        var watchers = held.Select(one => one.HoldAsync(leave.Token))
            .Concat(streams.Select(one => one.HoldAsync(leave.Token)))
            .ToList();
        await Eventually.TrueAsync(() =>
            Task.FromResult(held.All(one => one.IsOpen) && streams.All(one => one.Opened > 0))
        );

        List<string> waits = [];
        async Task EventAsync(string what, Func<Task> happen, bool isGateway = false)
        {
            await happen();
            await galaxy.SettledAsync();
            await galaxy.AnswersAsync(secondUrl);
            await Eventually.TrueAsync(() => Task.FromResult(held.All(one => one.IsOpen)), seconds: 30);
            var switched = doors.TakeSwitched();
            waits.Add(
                $"{what}: requests {_load.Waits.Take()}, sockets {_socketGaps.Take()}, streams {_streamGaps.Take()}"
                    + (switched > 0 ? $", {switched} took the other door" : "")
            );
            // A gateway that stands answers everything; who knew one address only would have seen nothing either.
            Assert.True(
                isGateway || switched == 0,
                $"{what}: {switched} took the other door; the second gateway "
                    + $"{(second.HasEnded ? "has ended" : "stands")}:\n{second.Output}"
            );
        }

        async Task ReplacedAsync(Func<Contracts.Api.LeaderResponse, Task> happen)
        {
            var old = await galaxy.LeaderAsync();
            await happen(old);
            await Eventually.TrueAsync(async () =>
                (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token
            );
        }

        async Task RestartAsync(string name)
        {
            await galaxy.Host.StopAsync(name);
            galaxy.Host.Upgrade(name);
            galaxy.Host.Start(name);
        }

        await EventAsync("kill -9 of the leader", () => ReplacedAsync(old =>
            {
                galaxy.Host.Kill(old.NodeId);
                return Task.CompletedTask;
            }));
        // One that has just come back may not be ready to lead yet, and says so.
        await EventAsync("failover by hand", () => ReplacedAsync(old =>
                Eventually.TrueAsync(async () =>
                {
                    using var moved = await galaxy.Http.PostAsJsonAsync(
                        "/api/v1/failover",
                        new
                        {
                            to = (await galaxy.ClusterAsync())!
                                .Nodes.Last(node => node.NodeId != old.NodeId && node.State == "alive")
                                .NodeId,
                        }
                    );
                    return moved.IsSuccessStatusCode;
                })
            ));
        await EventAsync("kill -9 of a router", () => Task.FromResult(Kill("router-a")));
        await EventAsync("kill -9 of a OneApi", () => Task.FromResult(Kill("oneapi-b")));
        foreach (var name in galaxy.Host.Names.Where(name => name is not ("gateway" or "redis")))
            await EventAsync("restart of " + name, () => RestartAsync(name));
        await EventAsync("restart of the store", () => RestartAsync("redis"));
        await EventAsync("kill -9 of the second gateway", second.KillAndStartAsync, isGateway: true);
        await EventAsync("restart of the first gateway", () => RestartAsync("gateway"), isGateway: true);

        if (RunningGalaxy.Before is not null)
        {
            second.Follow(galaxy, "gateway");
            await EventAsync("upgrade of the second gateway", second.KillAndStartAsync, isGateway: true);
        }
        await Eventually.TrueAsync(async () =>
            await galaxy.ClusterAsync() is { } cluster
            && cluster.Nodes.All(node => node.Version == BuildVersion.Text)
            && cluster.Services.All(service => service.Version == BuildVersion.Text)
        );

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Report(
            $"{(RunningGalaxy.Before is null ? "" : "upgraded from " + RunningGalaxy.Before + ": ")}{_load.Sent} requests; sockets opened {held.Sum(one => one.Opened)} times, streams {streams.Sum(one => one.Opened)}; longest of each event:\n{string.Join('\n', waits)}"
        );
        foreach (var failure in streams.SelectMany(stream => stream.Failures))
            _load.Failures.Enqueue("stream: " + failure);
        Assert.True(
            _load.Failures.IsEmpty,
            $"{_load.Failures.Count} of {_load.Sent} failed:\n"
                + $"{string.Join('\n', _load.Failures.Take(12))}\n{string.Join('\n', waits)}"
        );
        await CountAsync();
        // Every stream is told the last value of every key.
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    streams.All(stream =>
                        _written.All(written => stream.Last.GetValueOrDefault(written.Key) == written.Value)
                    )
                ),
            seconds: 10
        );
        await leave.CancelAsync();
        await Task.WhenAll(watchers);
    }

    /// <summary>Kept also when all goes well.</summary>
    private static void Report(string text)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        File.AppendAllText(
            Path.Combine(
                Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "TestResults")).FullName,
                "nobody-notices.txt"
            ),
            text + "\n"
        );
    }

    private bool Kill(string name)
    {
        galaxy.Host.Kill(name);
        return true;
    }

    // What may not be sent twice is there once where it was answered, and not at all where it was said not to be.
    private async Task CountAsync()
    {
        var there = new Dictionary<string, int>();
        await foreach (var task in TasksAsync())
        {
            if (task["params"]?["text"]?.GetValue<string>() is { } text)
                there[text] = there.GetValueOrDefault(text) + 1;
        }
        Report(
            $"{there.GetValueOrDefault("once")} tasks of {_tasks.Count} keys ({_tasks.Values.Distinct().Count()} answered); of once-only: {_once.Count(said => there.GetValueOrDefault(said.Key) < (said.Value == true ? 1 : 0))} lost, {_once.Count(said => there.GetValueOrDefault(said.Key) > (said.Value == false ? 0 : 1))} too many"
        );
        Assert.All(_once, said =>
            Assert.InRange(there.GetValueOrDefault(said.Key), said.Value == true ? 1 : 0, said.Value == false ? 0 : 1)
        );
        Report(
            $"{_once.Count} that may not be sent twice: {_once.Values.Count(said => said == true)} "
                + $"answered, {_once.Values.Count(said => said == false)} not done, "
                + $"{_once.Values.Count(said => said is null)} perhaps"
        );
        // One task for each key, however often it was sent.
        Assert.Equal(_tasks.Count, _tasks.Values.Distinct().Count());
        Assert.Equal(there["once"], _tasks.Count);
    }
}
