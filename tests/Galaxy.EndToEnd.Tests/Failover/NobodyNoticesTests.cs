using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.LocalHosting.Running;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>
/// Clients that send what may be sent twice see no failure while leaders are killed and moved and services die, and nothing is done twice.
/// </summary>
[Collection("system")]
public sealed class NobodyNoticesTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly ConcurrentDictionary<string, string> _tasks = [];
    private readonly ConcurrentDictionary<string, bool?> _once = [];
    private double _longest;
    private int _sent;

    private async Task RepeatAsync(HttpClient http, Func<int, HttpRequestMessage> request, CancellationToken stop, Func<HttpRequestMessage, HttpResponseMessage, Task>? answered = null)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var i = 0; !stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None); i++)
        {
            using var message = request(i);
            var began = Stopwatch.GetTimestamp();
            try
            {
                using var response = await http.SendAsync(message, CancellationToken.None);
                if (!response.IsSuccessStatusCode)
                    _failures.Enqueue($"{message.Method} {message.RequestUri}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
                else if (answered is not null)
                    await answered(message, response);
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                _failures.Enqueue($"{message.Method} {message.RequestUri}: {failure.Message}");
            }
            Interlocked.Increment(ref _sent);
            InterlockedMax(ref _longest, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    /// <summary>Submits what may not be sent twice, and notes what it was told: done (true), not done (false), or perhaps (null).</summary>
    private async Task SubmitOnceAsync(HttpClient http, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            var text = Guid.NewGuid().ToString("N");
            try
            {
                using var answer = await http.PostAsJsonAsync("/api/v1/tasks", new { action = "echo", @params = new { text } }, CancellationToken.None);
                var said = await answer.Content.ReadFromJsonAsync<JsonNode>(CancellationToken.None);
                _once[text] = answer.IsSuccessStatusCode ? true : said!["may_have_run"] is { } may && !may.GetValue<bool>() ? false : null;
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                _once[text] = null;
            }
        }
    }

    private async IAsyncEnumerable<JsonNode> TasksAsync()
    {
        for (var page = "/api/v1/tasks?limit=500"; page is not null;)
        {
            using var answer = await galaxy.Http.GetAsync(page);
            foreach (var task in (await answer.Content.ReadFromJsonAsync<JsonArray>())!)
                yield return task!;
            page = answer.Headers.TryGetValues("Link", out var links) && links.First() is var link ? link[(link.IndexOf('<', StringComparison.Ordinal) + 1)..link.IndexOf('>', StringComparison.Ordinal)] : null;
        }
    }

    private static void InterlockedMax(ref double most, double value)
    {
        for (var seen = Volatile.Read(ref most); value > seen;)
        {
            var before = Interlocked.CompareExchange(ref most, value, seen);
            if (before.Equals(seen))
                return;
            seen = before;
        }
    }

    [Fact]
    public async Task Idempotent_requests_see_no_failure_while_leaders_and_services_die()
    {
        using var http = new HttpClient { BaseAddress = galaxy.Http.BaseAddress, Timeout = TimeSpan.FromSeconds(15) };
        http.DefaultRequestHeaders.Authorization = galaxy.Http.DefaultRequestHeaders.Authorization;
        using var stop = new CancellationTokenSource();
        Task[] clients =
        [
            RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/cluster"), stop.Token),
            RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/api/v1/tasks?limit=1"), stop.Token),
            RepeatAsync(http, i => new HttpRequestMessage(HttpMethod.Put, $"/api/v1/state/unnoticed/{i % 10}") { Content = JsonContent.Create(new { i }) }, stop.Token),
            RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/route/llm.models"), stop.Token),
            RepeatAsync(http, _ => new HttpRequestMessage(HttpMethod.Get, "/v1/models"), stop.Token),
            RepeatAsync(http, _ =>
            {
                var submit = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks") { Content = JsonContent.Create(new { action = "echo", @params = new { text = "once" } }) };
                submit.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
                return submit;
            }, stop.Token, async (submit, answer) => _tasks[submit.Headers.GetValues("Idempotency-Key").Single()] = (await answer.Content.ReadFromJsonAsync<JsonNode>())!["task_id"]!.GetValue<string>()),
            SubmitOnceAsync(http, stop.Token),
        ];
        List<string> waits = [];
        async Task EventAsync(string what, Func<Task> happen)
        {
            await happen();
            await Eventually.TrueAsync(async () => (await galaxy.ClusterAsync()) is { Leader: not null } cluster && cluster.Nodes.Count(node => node.State == "alive") == 3 && galaxy.Host.Resources.All(name => galaxy.Host.State(name) == ResourceState.Healthy));
            waits.Add($"{what} {Interlocked.Exchange(ref _longest, 0):0} ms");
        }

        for (var i = 0; i < 2; i++)
        {
            await EventAsync("kill -9 of the leader", async () =>
            {
                var old = await galaxy.LeaderAsync();
                galaxy.Host.Kill(old.NodeId);
                await Eventually.TrueAsync(async () => (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token);
            });
        }
        await EventAsync("by hand", async () =>
        {
            var old = await galaxy.LeaderAsync();
            var next = (await galaxy.ClusterAsync())!.Nodes.First(node => node.NodeId != old.NodeId && node.State == "alive").NodeId;
            using var moved = await galaxy.Http.PostAsJsonAsync("/api/v1/failover", new { to = next });
            await Eventually.TrueAsync(async () => (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token);
        });
        foreach (var service in new[] { "router-a", "oneapi-b" })
        {
            await EventAsync("kill -9 of " + service, () =>
            {
                galaxy.Host.Kill(service);
                return Task.CompletedTask;
            });
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients);

        TestContext.Current.TestOutputHelper?.WriteLine($"{_sent} requests; longest waits: {string.Join(", ", waits)}");
        Assert.True(_failures.IsEmpty, $"{_failures.Count} of {_sent} failed ({string.Join(", ", waits)}):\n{string.Join('\n', _failures.Take(12))}");
        // What may not be sent twice is there once where it was answered, and not at all where it was said not to be.
        var there = new Dictionary<string, int>();
        await foreach (var task in TasksAsync())
        {
            if (task["params"]?["text"]?.GetValue<string>() is { } text)
                there[text] = there.GetValueOrDefault(text) + 1;
        }
        Assert.All(_once, said => Assert.InRange(there.GetValueOrDefault(said.Key), said.Value == true ? 1 : 0, said.Value == false ? 0 : 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"{_once.Count} that may not be sent twice: {_once.Values.Count(said => said == true)} answered, {_once.Values.Count(said => said == false)} not done, {_once.Values.Count(said => said is null)} perhaps");
        // One task for each key, however often it was sent.
        Assert.Equal(_tasks.Count, _tasks.Values.Distinct().Count());
    }
}
