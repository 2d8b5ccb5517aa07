using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>
/// SIGSTOP of the leader, a new one, SIGCONT of the old one while writes go on through the gateway and straight to the
/// old leader. <c>GALAXY_ROUNDS=100</c> for the long run.
/// </summary>
[Collection("system")]
public sealed class WokenLeaderTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private static int Rounds =>
        Environment.GetEnvironmentVariable("GALAXY_ROUNDS") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : 2;

    [Fact]
    public async Task No_write_of_a_leader_that_wakes_up_counts()
    {
        var stale = 0;
        for (var round = 0; round < Rounds; round++)
            stale += await RoundAsync();
        Assert.Equal(0, stale);
    }

    // The number of writes that the woken leader had accepted under its old token.
    private async Task<int> RoundAsync()
    {
        var old = await galaxy.LeaderAsync();
        var written = new ConcurrentBag<(string Id, long Token)>();
        using var direct = new HttpClient { BaseAddress = new Uri(old.Url), Timeout = TimeSpan.FromSeconds(10) };
        direct.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", galaxy.Key);
        using var over = new CancellationTokenSource();
        galaxy.Host.Pause(old.NodeId);
        // These lie in the old leader's socket when it wakes up.
        var waiting = Enumerable.Range(0, 5).Select(_ => WriteAsync(direct, written)).ToList();
        var through = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
                await WriteAsync(galaxy.Http, written);
        });
        LeaderResponse? next = null;
        await Eventually.TrueAsync(async () =>
            (next = (await galaxy.ClusterAsync())?.Leader) is { } leader && leader.Token > old.Token
        );
        await Eventually.TrueAsync(() => Task.FromResult(written.Any(write => write.Token >= next!.Token)));

        // Its process took connections and did not answer: that was found out before its lease ran out.
        await Eventually.TrueAsync(async () =>
            (await galaxy.Http.GetFromJsonAsync<List<FailoverRecord>>("/api/v1/failovers", GalaxyJson.Options))!.Any(
                record => record.OldToken == old.Token && record.Reason == "hang"
            )
        );
        galaxy.Host.Continue(old.NodeId);
        for (var i = 0; i < 20; i++)
            await WriteAsync(direct, written);
        await Task.WhenAll(waiting);
        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Nodes.Count(node => node.State == "alive") == 3
        );
        await over.CancelAsync();
        await through;

        // Devices that came to the next leader are there and work, whatever the old one made of its own sockets when it
        // woke up.
        foreach (var device in new[] { "worker-1", "worker-2" })
            Assert.Equal(
                TaskState.Completed,
                (
                    await galaxy.FinishedAsync(
                        await galaxy.SubmitAsync(
                            new
                            {
                                action = "echo",
                                target_device = device,
                                @params = new { text = "here" },
                            }
                        )
                    )
                ).State
            );
        await Eventually.TrueAsync(async () => (await galaxy.ClusterAsync())?.DevicesOnline == 2);

        // What was acknowledged is there, under the token that was named; nothing after the change carries the old one.
        foreach (var (id, _) in written)
            Assert.NotNull(await galaxy.Http.GetFromJsonAsync<TaskView>("/api/v1/tasks/" + id, GalaxyJson.Options));
        return written.Count(write => write.Token <= old.Token);
    }

    private static async Task WriteAsync(HttpClient http, ConcurrentBag<(string Id, long Token)> written)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(
                "/api/v1/tasks",
                new { action = "echo", @params = new { text = "history" } }
            );
            if (answer.StatusCode != HttpStatusCode.Created)
                return;
            var task = await answer.Content.ReadFromJsonAsync<JsonElement>();
            written.Add((task.GetProperty("task_id").GetString()!, task.GetProperty("token").GetInt64()));
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            // Not acknowledged.
        }
    }
}
