using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.EndToEnd.Tests.Tasks;

/// <summary>
/// What tasks can do, on the two workers of the local system, also when the leader dies in the middle.
/// </summary>
[Collection("shared system")]
public sealed class TaskFeatureTests(RunningGalaxy galaxy)
{
    private async Task<TaskView> ReadAsync(string id) =>
        (await galaxy.Http.GetFromJsonAsync<TaskView>("/api/v1/tasks/" + id, GalaxyJson.Options))!;

    private Task StateAsync(string id, TaskState state) =>
        Eventually.TrueAsync(async () => (await ReadAsync(id)).State == state);

    [Fact]
    public async Task Dependent_gang_failing_scheduled_and_repeated_tasks_survive_the_death_of_the_leader()
    {
        var slow = await galaxy.SubmitAsync(new { action = "sleep", @params = new { seconds = 4 } });
        var after = await galaxy.SubmitAsync(
            new
            {
                action = "echo",
                @params = new { text = "after" },
                dependencies = new[] { new { task_id = slow } },
            }
        );
        var otherwise = await galaxy.SubmitAsync(
            new { action = "echo", dependencies = new[] { new { task_id = slow, condition = "failure" } } }
        );
        var failing = await galaxy.SubmitAsync(
            new
            {
                action = "http.request",
                @params = new { url = "http://127.0.0.1:9/" },
                retry = new { max_attempts = 2, delay_seconds = 2 },
            }
        );
        var once = await galaxy.SubmitAsync(new { action = "echo", not_before = DateTimeOffset.UtcNow.AddSeconds(5) });
        var cron = await galaxy.SubmitAsync(new { action = "echo", cron = "* * * * * *" });
        var whole = await galaxy.SubmitAsync(
            new
            {
                name = "whole",
                subtasks = new object[]
                {
                    new
                    {
                        name = "first",
                        action = "sleep",
                        @params = new { seconds = 2 },
                    },
                    new
                    {
                        name = "second",
                        action = "echo",
                        @params = new { n = 2 },
                        depends_on = new[] { "first" },
                    },
                },
            }
        );
        var gang = await galaxy.SubmitAsync(
            new
            {
                gang = true,
                subtasks = new object[]
                {
                    new
                    {
                        action = "sleep",
                        target_device = "worker-1",
                        @params = new { seconds = 1 },
                    },
                    new
                    {
                        action = "sleep",
                        target_device = "worker-2",
                        @params = new { seconds = 1 },
                    },
                },
            }
        );
        Assert.Equal(TaskState.Pending, (await ReadAsync(after)).State);
        await StateAsync(slow, TaskState.Running);

        galaxy.Host.Kill((await galaxy.LeaderAsync()).NodeId);

        Assert.Equal(
            (TaskState.Completed, 1),
            ((await galaxy.FinishedAsync(slow)).State, (await ReadAsync(slow)).Attempts)
        );
        Assert.Equal("after", (await galaxy.FinishedAsync(after)).Result!.Value.GetProperty("text").GetString());
        Assert.Equal(TaskState.Cancelled, (await galaxy.FinishedAsync(otherwise)).State);
        var failed = await galaxy.FinishedAsync(failing);
        Assert.Equal((TaskState.Failed, 2, 1), (failed.State, failed.Attempts, failed.History!.Count));
        Assert.InRange(
            (await galaxy.FinishedAsync(once)).CompletedAt!.Value,
            (await ReadAsync(once)).NotBefore!.Value,
            DateTimeOffset.MaxValue
        );
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(whole)).State);
        Assert.All((await ReadAsync(whole)).Subtasks!, part => Assert.Equal(TaskState.Completed, part.State));
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(gang)).State);
        var parts = await Task.WhenAll((await ReadAsync(gang)).Subtasks!.Select(part => ReadAsync(part.TaskId)));
        Assert.InRange((parts[0].StartedAt!.Value - parts[1].StartedAt!.Value).Duration().TotalMilliseconds, 0, 1);

        // Each copy has its second in its name, before and after.
        var last = (await ReadAsync(cron)).LastCopy;
        await Eventually.TrueAsync(async () =>
            (await ReadAsync(cron)).LastCopy is { } copy
            && copy != last
            && (await galaxy.FinishedAsync(copy)).State == TaskState.Completed
        );
        using var cancelled = await galaxy.Http.PostAsync($"/api/v1/tasks/{cron}/cancel", null);
        Assert.Equal(TaskState.Cancelled, (await ReadAsync(cron)).State);
    }

    [Fact]
    public async Task A_running_task_is_cancelled_on_its_device_and_one_that_takes_too_long_times_out()
    {
        var running = await galaxy.SubmitAsync(
            new
            {
                action = "sleep",
                @params = new { seconds = 600 },
                target_device = "worker-1",
            }
        );
        await StateAsync(running, TaskState.Running);
        using var cancelled = await galaxy.Http.PostAsync($"/tasks/{running}/cancel", null);
        Assert.Equal(
            TaskState.Cancelled,
            (await cancelled.Content.ReadFromJsonAsync<TaskView>(GalaxyJson.Options))!.State
        );
        using var again = await galaxy.Http.PostAsync($"/tasks/{running}/cancel", null);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        // Its device is free again.
        await Eventually.TrueAsync(async () =>
            (await galaxy.Http.GetFromJsonAsync<DeviceView>("/api/v1/devices/worker-1", GalaxyJson.Options))!.Load == 0
        );

        var late = await galaxy.SubmitAsync(
            new
            {
                action = "sleep",
                @params = new { seconds = 600 },
                timeout_seconds = 0.5,
                max_attempts = 1,
            }
        );
        Assert.Equal(
            (TaskState.Timeout, "no result within 0.5 s"),
            ((await galaxy.FinishedAsync(late)).State, (await ReadAsync(late)).Error)
        );
    }

    [Fact]
    public async Task The_same_request_with_an_idempotency_key_is_one_task()
    {
        async Task<HttpResponseMessage> SubmitAsync(string text)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
            {
                Content = JsonContent.Create(new { action = "echo", @params = new { text } }),
            };
            request.Headers.Add("Idempotency-Key", "the-same");
            return await galaxy.Http.SendAsync(request);
        }
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SubmitAsync("a")));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Single(
            (
                await Task.WhenAll(
                    answers.Select(async answer =>
                        (await answer.Content.ReadFromJsonAsync<TaskView>(GalaxyJson.Options))!.TaskId
                    )
                )
            ).Distinct()
        );
        using var other = await SubmitAsync("b");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
    }

    [Fact]
    public async Task What_becomes_of_a_task_can_be_followed()
    {
        var id = await galaxy.SubmitAsync(new { action = "sleep", @params = new { seconds = 1 } });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var stream = await galaxy.Http.GetStreamAsync($"/api/v1/tasks/{id}/events", patience.Token);
        var seen = new List<TaskView>();
        await foreach (
            var item in SseParser
                .Create(stream, (_, data) => JsonSerializer.Deserialize<TaskView>(data, GalaxyJson.Options)!)
                .EnumerateAsync(patience.Token)
        )
            seen.Add(item.Data);

        Assert.Equal(TaskState.Completed, seen[^1].State);
        Assert.Contains(seen, task => task.Progress is > 0 and < 1);
    }

    [Fact]
    public async Task A_callback_is_signed_and_called_again_until_it_is_taken()
    {
        using var listener = Listen(out var port);
        var id = await galaxy.SubmitAsync(
            new
            {
                action = "echo",
                @params = new { text = "call me" },
                callback_url = $"http://127.0.0.1:{port}/done",
            }
        );

        for (var tries = 1; tries <= 2; tries++)
        {
            var context = await listener.GetContextAsync().WaitAsync(TimeSpan.FromSeconds(20));
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            var signed = Encoding.UTF8.GetBytes(context.Request.Headers["X-Galaxy-Timestamp"] + "." + body);
            Assert.Equal(
                "sha256="
                    + Convert.ToHexStringLower(HMACSHA256.HashData(ApiKey.Derive(galaxy.Key, "callback"), signed)),
                context.Request.Headers["X-Galaxy-Signature"]
            );
            Assert.Equal(
                (id, $"{tries}"),
                (JsonNode.Parse(body)!["task_id"]!.GetValue<string>(), context.Request.Headers["X-Galaxy-Try"])
            );
            context.Response.StatusCode = tries == 1 ? 500 : 204;
            context.Response.Close();
        }
        await Eventually.TrueAsync(async () => (await ReadAsync(id)).Callback == "delivered");
    }

    private static HttpListener Listen(out int port)
    {
        for (var tries = 0; ; tries++)
        {
            port = Random.Shared.Next(30_000, 60_000);
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException) when (tries < 20)
            {
                // The port is taken.
            }
        }
    }

    [Fact]
    public async Task Groups_are_told_together_and_a_held_task_waits()
    {
        using var made = await galaxy.Http.PostAsJsonAsync(
            "/groups",
            new { group_id = "both", devices = new[] { "worker-1", "worker-2" } }
        );
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var answer = await galaxy.Http.PostAsJsonAsync(
            "/groups/both/broadcast",
            new { command = "echo", @params = new { hello = "all" } }
        );
        var told = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal(("completed", 2), (told["status"]!.GetValue<string>(), told["results"]!.AsObject().Count));

        var held = await galaxy.SubmitAsync(new { action = "echo", hold = true });
        Assert.Equal(TaskState.Pending, (await ReadAsync(held)).State);
        using var released = await galaxy.Http.PostAsync($"/tasks/{held}/execute", null);
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(held)).State);
        using var stats = await galaxy.Http.GetAsync("/stats");
        Assert.Equal(HttpStatusCode.OK, stats.StatusCode);
    }

    [Fact]
    public async Task The_api_describes_itself_with_examples_that_it_takes()
    {
        var document = (await galaxy.Http.GetFromJsonAsync<JsonObject>("/openapi/v1.json"))!;
        foreach (
            var (path, status) in (IEnumerable<(string, HttpStatusCode)>)
                [
                    ("/api/v1/tasks", HttpStatusCode.Created),
                    ("/api/v1/tasks/batch", HttpStatusCode.Created),
                    ("/api/v1/devices/register", HttpStatusCode.Created),
                    ("/api/v1/groups", HttpStatusCode.Created),
                    ("/api/v1/command", HttpStatusCode.OK),
                ]
        )
        {
            var example = document["paths"]![path]!["post"]!["requestBody"]!["content"]!["application/json"]![
                "example"
            ]!;
            using var answer = await galaxy.Http.PostAsync(
                path,
                new StringContent(example.ToJsonString(), Encoding.UTF8, "application/json")
            );
            Assert.Equal((path, status), (path, answer.StatusCode));
        }
    }

    public static TheoryData<string, string, string> Bad =>
        new()
        {
            { "/api/v1/tasks", "{}", "'action'" },
            { "/api/v1/tasks", """{"action":5}""", "'action'" },
            { "/api/v1/tasks", """{"action":"x","priority":3}""", "'priority'" },
            { "/api/v1/tasks", """{"action":"x","strategy":"best"}""", "'strategy'" },
            { "/api/v1/tasks", """{"action":"x","timeout_seconds":-1}""", "'timeout_seconds'" },
            { "/api/v1/tasks", """{"action":"x","cron":"every day"}""", "'cron'" },
            { "/api/v1/tasks", """{"action":"x","callback_url":"ftp://x"}""", "'callback_url'" },
            { "/api/v1/tasks", """{"action":"x","unknown":1}""", "unknown" },
            { "/api/v1/tasks", """{"action":"x","retry":{"backoff":"never"}}""", "'retry.backoff'" },
            { "/api/v1/tasks", """{"action":"x","dependencies":[{"task_id":"no-such-task"}]}""", "'dependencies'" },
            { "/api/v1/tasks", """{"subtasks":[{"action":"x"},{"params":{}}]}""", "'subtasks[1].action'" },
            {
                "/api/v1/tasks",
                """{"subtasks":[{"name":"a","action":"x","depends_on":["b"]},"""
                    + """{"name":"b","action":"x","depends_on":["a"]}]}""",
                "depends on itself"
            },
            { "/api/v1/tasks", """{"action":"x","resources":{"cpu_percent":101}}""", "'resources.cpu_percent'" },
            { "/api/v1/tasks", "[[[[", "JSON" },
            { "/api/v1/tasks/batch", """[{"action":"x"},{"action":""}]""", "Task 1: 'action'" },
            { "/api/v1/command", """{"targets":["a"]}""", "'command'" },
            { "/api/v1/command", """{"command":"x","targets":[]}""", "'targets'" },
            { "/api/v1/command", """{"command":"x","targets":["a b"]}""", "'targets'" },
            { "/api/v1/command", """{"command":"x","targets":["a"],"mode":"later"}""", "'mode'" },
            { "/api/v1/command", """{"command":"x","targets":["a"],"timeout":0}""", "'timeout'" },
            { "/execute/parallel", """{"commands":[{"device_id":"a"}]}""", "'commands[0].command'" },
            { "/api/v1/devices/register", """{"device_id":"a b"}""", "'device_id'" },
            { "/api/v1/devices/register", """{"device_id":"a","capabilities":"x"}""", "'capabilities'" },
            { "/api/v1/devices/register", """{"device_id":"a","weight":0}""", "'weight'" },
            { "/groups", """{"group_id":""}""", "'group_id'" },
            { "/groups", """{"group_id":"g","devices":["a b"]}""", "'devices'" },
        };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task What_is_wrong_is_named(string path, string body, string complaint)
    {
        using var answer = await galaxy.Http.PostAsync(
            path,
            new StringContent(body, Encoding.UTF8, "application/json")
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(
            complaint,
            (await answer.Content.ReadFromJsonAsync<JsonObject>())!["detail"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_is_huge_or_deep_is_refused_and_nothing_dies_of_it()
    {
        using var huge = await galaxy.Http.PostAsync(
            "/api/v1/tasks",
            new StringContent(
                $$"""{"action":"x","params":"{{new string('x', 600_000)}}"}""",
                Encoding.UTF8,
                "application/json"
            )
        );
        Assert.Equal(HttpStatusCode.BadRequest, huge.StatusCode);
        using var deep = await galaxy.Http.PostAsync(
            "/api/v1/tasks",
            new StringContent(
                $$"""{"action":"x","params":{{new string('[', 5000)}}""",
                Encoding.UTF8,
                "application/json"
            )
        );
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
        Assert.Equal(
            TaskState.Completed,
            (await galaxy.FinishedAsync(await galaxy.SubmitAsync(new { action = "echo" }))).State
        );
    }
}
