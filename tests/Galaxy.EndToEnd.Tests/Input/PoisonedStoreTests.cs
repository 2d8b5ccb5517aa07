using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using StackExchange.Redis;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>
/// A store that a broken version has filled: the system leads, serves everything else, and shows what it has set aside.
/// </summary>
[Collection("poisoned system")]
public sealed class PoisonedStoreTests(RunningGalaxy galaxy)
{
    private const string Prefix = "{galaxy:galaxy}:";

    private static readonly (string Id, string Json)[] Tasks =
    [
        ("poison-0", ""),
        ("poison-1", "{"),
        ("poison-2", "null"),
        ("poison-3", "[]"),
        ("poison-4", "\u0000\u0001"),
        ("poison-5", Task("poison-5", "\"required_devices\":[null]")),
        ("poison-6", Task("poison-6", "\"required_capabilities\":[null]")),
        ("poison-7", Task("poison-7", "\"subtasks\":[null]")),
        ("poison-8", Task("poison-8", "\"timeout_seconds\":1e300")),
        ("poison-9", Task("poison-9", "\"params\":{\"x\":\"\\ud800\"}")),
        ("poison-10", Task("poison-10", "\"name\":null")),
        ("poison-11", Task("poison-11", "\"params\":" + new string('[', 63) + new string(']', 63))),
        ("poison-12", Task("poison-12", "\"retry\":{\"delay_seconds\":1e300}")),
        ("poison-13", Task("poison-13", "\"waits_for\":[null]")),
        ("poison-14", Task("poison-14", "\"created_at\":\"yesterday\"")),
        ("poison-16", Task("another-name", "\"tags\":[]")),
        ("poison-17", Task("", "\"tags\":[]")),
        (
            "poison-15",
            Task(
                "poison-15",
                "\"subtasks\":[{\"task_id\":\"p\",\"name\":\"p\",\"state\":\"failed\"},{\"task_id\":\"p\","
                    + "\"name\":\"p\",\"state\":\"failed\"}]"
            )
        ),
    ];

    [Fact]
    public async Task The_leader_that_takes_over_sets_poisoned_tasks_aside_and_does_the_others()
    {
        var waiting = await galaxy.SubmitAsync(
            new
            {
                action = "echo",
                @params = new { text = "kept" },
                not_before = DateTimeOffset.UtcNow.AddSeconds(15),
            }
        );
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions { EndPoints = { { "127.0.0.1", galaxy.Host.Url("redis", "tcp").Port } } }
        );
        var store = redis.GetDatabase();
        foreach (var (id, json) in Tasks)
            await store.StringSetAsync(Prefix + "task:" + id, json);
        // They are listed where the newest tasks are, as if they had been accepted.
        var index = JsonDocument.Parse((string)(await store.StringGetAsync(Prefix + "tasks:index"))!).RootElement;
        await store.StringAppendAsync(
            $"{Prefix}tasks:page:{index.GetProperty("last").GetInt64()}",
            " " + string.Join(' ', Tasks.Select(task => task.Id))
        );
        // And among the failovers, the join tokens and the callbacks.
        await store.ListLeftPushAsync(Prefix + "failovers", ["{", "null", "{\"id\":null}"]);
        await store.SortedSetAddAsync(Prefix + "tasks:callbacks", "poison-1", 1);
        var old = await galaxy.LeaderAsync();
        var began = Stopwatch.GetTimestamp();

        galaxy.Host.Kill(old.NodeId);

        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token
        );
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } })
                )
            ).State
        );
        var took = Stopwatch.GetElapsedTime(began);
        TestContext.Current.TestOutputHelper?.WriteLine($"served {took.TotalMilliseconds:0} ms after the kill");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        var leader = await galaxy.LeaderAsync();
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(waiting)).State);
        // It was one change of leader, and no process but the killed one was started again.
        Assert.Equal(leader.Token, (await galaxy.LeaderAsync()).Token);
        Assert.Equal(
            HttpStatusCode.OK,
            (await galaxy.Http.GetAsync("/api/v1/tasks", TestContext.Current.CancellationToken)).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await galaxy.Http.GetAsync("/api/v1/failovers", TestContext.Current.CancellationToken)).StatusCode
        );

        var aside = await QuarantineAsync();
        Assert.Equal(
            Tasks.Select(task => task.Id).Order(),
            aside.Where(record => record.Kind == "tasks").Select(record => record.Id).Order()
        );
        Assert.All(aside, record => Assert.NotEmpty(record.Reason));

        // One is mended and released, another is deleted.
        await store.StringSetAsync(Prefix + "task:poison-5", Task("poison-5", "\"tags\":[]"));
        using (
            var released = await galaxy.Http.PostAsync(
                new Uri("/api/v1/quarantine?kind=tasks&id=poison-5", UriKind.Relative),
                null,
                TestContext.Current.CancellationToken
            )
        )
            Assert.Equal(HttpStatusCode.NoContent, released.StatusCode);
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync("poison-5")).State);
        using (
            var refused = await galaxy.Http.PostAsync(
                new Uri("/api/v1/quarantine?kind=tasks&id=poison-6", UriKind.Relative),
                null,
                TestContext.Current.CancellationToken
            )
        )
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        using (
            var deleted = await galaxy.Http.DeleteAsync(
                new Uri("/api/v1/quarantine?kind=tasks&id=poison-6", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        )
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.False(await store.KeyExistsAsync(Prefix + "task:poison-6"));
        Assert.DoesNotContain(await QuarantineAsync(), record => record.Id is "poison-5" or "poison-6");
    }

    [Fact]
    public async Task A_key_of_another_type_is_moved_away_and_an_index_that_cannot_be_true_is_made_anew()
    {
        var waiting = await galaxy.SubmitAsync(
            new
            {
                action = "echo",
                @params = new { text = "kept" },
                not_before = DateTimeOffset.UtcNow.AddSeconds(10),
            }
        );
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions { EndPoints = { { "127.0.0.1", galaxy.Host.Url("redis", "tcp").Port } } }
        );
        var store = redis.GetDatabase();
        await store.KeyDeleteAsync([Prefix + "tasks:callbacks", Prefix + "failovers", Prefix + "joins"]);
        await store.StringSetAsync(Prefix + "tasks:callbacks", "text");
        await store.SetAddAsync(Prefix + "failovers", "an element");
        await store.ListLeftPushAsync(Prefix + "joins", "an element");
        await store.SetAddAsync(Prefix + "task:poison-of-another-type", "an element");

        foreach (
            var index in new[]
            {
                "{",
                "null",
                "{\"first\":1,\"last\":9000000000000000000,\"low\":1,\"listed\":1}",
                "{\"first\":1,\"last\":0,\"low\":1,\"listed\":0}",
            }
        )
        {
            await store.StringSetAsync(Prefix + "tasks:index", index);
            var old = await galaxy.LeaderAsync();
            galaxy.Host.Kill(old.NodeId);
            await Eventually.TrueAsync(async () =>
                (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token
            );
            var after = await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } });
            Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(after)).State);
            var listed = await galaxy.Http.GetFromJsonAsync<List<TaskView>>(
                "/api/v1/tasks?limit=100",
                GalaxyJson.Options,
                TestContext.Current.CancellationToken
            );
            Assert.Contains(listed!, task => task.TaskId == after);
            Assert.Contains(listed!, task => task.TaskId == waiting);
            await galaxy.SettledAsync();
        }
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(waiting)).State);

        // A device that tells the result of such a task holds nobody up.
        using (var teller = await DeviceClient.ConnectAsync(galaxy, "teller"))
        {
            await teller.SayAsync("""{"type":"hello","device_id":"teller","capabilities":["tell"]}""");
            await teller.SayAsync(
                """{"type":"result","task_id":"poison-of-another-type","attempt_id":"poison-of-another-type.1","status":"completed"}"""
            );
            var told = await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "told" } });
            Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(told)).State);
        }

        // What has been moved away is shown, the lists work, and a backup can be taken.
        foreach (var path in new[] { "/api/v1/failovers", "/api/v1/access/tokens" })
            Assert.Equal(
                (path, HttpStatusCode.OK),
                (path, (await galaxy.Http.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode)
            );
        using (var backup = await galaxy.Http.GetAsync("/api/v1/backup", TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.OK, backup.StatusCode);
        var moved = (await QuarantineAsync()).Where(record => record.Kind == "store").ToList();
        Assert.Equal(
            ["failovers", "joins", "task:poison-of-another-type", "tasks:callbacks"],
            moved.Select(record => record.Id).Order()
        );
        foreach (var record in moved)
        {
            using var deleted = await galaxy.Http.DeleteAsync(
                new Uri($"/api/v1/quarantine?kind=store&id={record.Id}", UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }
        Assert.False(await store.KeyExistsAsync(Prefix + "set-aside:joins"));
        Assert.False(await store.KeyExistsAsync(Prefix + "task:poison-of-another-type"));
    }

    private async Task<IReadOnlyList<QuarantinedRecord>> QuarantineAsync() =>
        (
            await galaxy.Http.GetFromJsonAsync<List<QuarantinedRecord>>(
                "/api/v1/quarantine",
                GalaxyJson.Options,
                TestContext.Current.CancellationToken
            )
        )!;

    private static string Task(string id, string poison) =>
        $$"""{"task_id":"{{id}}","action":"echo","state":"queued","params":{"text":"x"},"created_at":"2026-11-28T00:00:00+00:00",{{(poison.StartsWith("\"name\"", StringComparison.Ordinal) ? "" : "\"name\":\"x\",")}}{{poison}}}"""
            .Replace(
                poison.StartsWith("\"params\"", StringComparison.Ordinal) ? "\"params\":{\"text\":\"x\"}," : "\u0007",
                "",
                StringComparison.Ordinal
            )
            .Replace(
                poison.StartsWith("\"created_at\"", StringComparison.Ordinal)
                    ? "\"created_at\":\"2026-11-28T00:00:00+00:00\","
                    : "\u0007",
                "",
                StringComparison.Ordinal
            );
}
