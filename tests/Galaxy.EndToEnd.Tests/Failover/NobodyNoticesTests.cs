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
        // One task for each key, however often it was sent.
        Assert.Equal(_tasks.Count, _tasks.Values.Distinct().Count());
    }
}
