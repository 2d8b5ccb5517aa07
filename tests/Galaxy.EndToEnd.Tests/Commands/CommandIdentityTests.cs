using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Commands;

/// <summary>
/// A command's <c>request_id</c> is its client's name for it: never the id of a task, whatever the client chooses, and
/// good for repetitions.
/// </summary>
[Collection("shared system")]
public sealed class CommandIdentityTests(RunningGalaxy galaxy)
{
    private readonly string _unique = Guid.NewGuid().ToString("N")[..8];

    private static object Echo(string? requestId, string text = "hello", string mode = "sync") =>
        new
        {
            request_id = requestId,
            command = "echo",
            targets = new[] { "worker-1" },
            @params = new { text },
            mode,
            timeout = 10,
        };

    private Task<HttpResponseMessage> PostAsync(object command) =>
        galaxy.Http.PostAsJsonAsync("/api/v1/command", command, GalaxyJson.Options);

    private async Task<JsonObject> CommandAsync(object command)
    {
        using var answer = await PostAsync(command);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private async Task<JsonObject> StatusAsync(string requestId) =>
        (await galaxy.Http.GetFromJsonAsync<JsonObject>($"/api/v1/command/{requestId}/status"))!;

    private Task<string> TaskAsync(string id) => galaxy.Http.GetStringAsync("/api/v1/tasks/" + id);

    private static string Text(JsonObject answer, string field) => answer[field]!.GetValue<string>();

    [Fact]
    public async Task Whatever_the_client_chooses_no_task_is_touched()
    {
        var finished = await galaxy.SubmitAsync(new { action = "echo", @params = new { keep = "me" } });
        var whole = await galaxy.SubmitAsync(
            new { subtasks = new[] { new { action = "echo" }, new { action = "echo" } } }
        );
        var held = await galaxy.SubmitAsync(new { action = "echo", hold = true });
        var lookalike = await galaxy.SubmitAsync(
            new
            {
                type = "command",
                name = "echo",
                subtasks = new[]
                {
                    new
                    {
                        name = "worker-1",
                        action = "echo",
                        target_device = "worker-1",
                    },
                },
            }
        );
        foreach (var id in (string[])[finished, whole, lookalike])
            await galaxy.FinishedAsync(id);
        string[] taken = [finished, whole, whole + "-1", whole + "-2", held, lookalike, lookalike + "-1"];
        var before = await Task.WhenAll(taken.Select(TaskAsync));
        var anonymous = await CommandAsync(Echo(null));

        foreach (
            var requestId in (string[])
                [.. taken, Text(anonymous, "request_id"), "batch", "watch", new string('x', 120) + _unique]
        )
        {
            var answer = await CommandAsync(Echo(requestId));
            Assert.Equal((requestId, "completed"), (Text(answer, "request_id"), Text(answer, "status")));
            Assert.NotEqual(requestId, Text(answer, "task_id"));
            Assert.Equal(answer.ToJsonString(), (await StatusAsync(requestId)).ToJsonString());
        }

        Assert.Equal(before, await Task.WhenAll(taken.Select(TaskAsync)));
        using var released = await galaxy.Http.PostAsync($"/api/v1/tasks/{held}/execute", null);
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(held)).State);
    }

    [Fact]
    public async Task The_same_request_is_one_command_and_another_under_its_name_is_refused()
    {
        var id = "once-" + _unique;
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => CommandAsync(Echo(id, mode: i % 2 == 0 ? "sync" : "async")))
        );
        Assert.Single(answers.Select(answer => Text(answer, "task_id")).Distinct());
        Assert.All(answers, answer => Assert.Equal(id, Text(answer, "request_id")));

        using var other = await PostAsync(Echo(id, "something else"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Contains(
            "'request_id'",
            (await other.Content.ReadFromJsonAsync<JsonObject>())!["detail"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        using var toAll = await galaxy.Http.PostAsJsonAsync("/execute/all", new { request_id = id, command = "echo" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, toAll.StatusCode);
        Assert.Equal("hello", (await StatusAsync(id))["results"]!["worker-1"]!["output"]!["text"]!.GetValue<string>());
        // The same text is free as the key of a task.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
        {
            Content = JsonContent.Create(new { action = "echo" }),
        };
        request.Headers.Add("Idempotency-Key", id);
        using var task = await galaxy.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, task.StatusCode);
    }

    [Fact]
    public async Task A_command_of_the_version_before_whose_task_has_the_request_id_is_still_read()
    {
        // As that version stored it: a task with parts, without a request id. Only its id is made here.
        var id = await galaxy.SubmitAsync(
            new
            {
                type = "command",
                name = "echo",
                priority = 8,
                max_attempts = 1,
                timeout_seconds = 10,
                subtasks = new[]
                {
                    new
                    {
                        name = "worker-1",
                        action = "echo",
                        target_device = "worker-1",
                        @params = new { text = "hello" },
                    },
                },
            }
        );
        await galaxy.FinishedAsync(id);

        var status = await StatusAsync(id);
        Assert.Equal(
            (id, "completed", "done"),
            (
                Text(status, "request_id"),
                Text(status, "status"),
                status["results"]!["worker-1"]!["status"]!.GetValue<string>()
            )
        );
        // Sent again after the upgrade it is that command; another one is not.
        Assert.Equal(id, Text(await CommandAsync(Echo(id)), "task_id"));
        Assert.NotEqual(id, Text(await CommandAsync(Echo(id, "something else")), "task_id"));
    }

    [Fact]
    public async Task Commands_that_are_repeated_until_they_are_answered_run_once_although_the_leader_dies()
    {
        var running = "running-" + _unique;
        object Sleep(string mode) =>
            new
            {
                request_id = running,
                command = "sleep",
                targets = new[] { "worker-1" },
                @params = new { seconds = 3 },
                mode,
                timeout = 20,
            };
        var accepted = await CommandAsync(Sleep("async"));
        var leader = (await galaxy.LeaderAsync()).NodeId;
        var commands = Enumerable
            .Range(0, 40)
            .Select(i => RepeatAsync(i < 20 ? null : leader, $"many-{_unique}-{i}"))
            .ToList();
        await Task.WhenAny(commands);

        galaxy.Host.Kill(leader);

        var answers = await Task.WhenAll(commands);
        Assert.Equal(40, answers.Select(answer => Text(answer, "task_id")).Distinct().Count());
        var again = await RepeatAsync(Sleep("sync"));
        Assert.Equal((Text(accepted, "task_id"), "completed"), (Text(again, "task_id"), Text(again, "status")));
        Assert.Equal(again.ToJsonString(), (await StatusAsync(running)).ToJsonString());

        var listed = (await galaxy.Http.GetFromJsonAsync<TaskView[]>("/api/v1/tasks?limit=1000", GalaxyJson.Options))!
            .Where(task => task.ParentId is null && task.RequestId is not null)
            .ToList();
        foreach (var answer in answers)
            Assert.Equal(
                Text(answer, "task_id"),
                Assert.Single(listed, task => task.RequestId == Text(answer, "request_id")).TaskId
            );
        Assert.Single(listed, task => task.RequestId == running);
    }

    private Task<JsonObject> RepeatAsync(string? first, string requestId) => RepeatAsync(Echo(requestId), first);

    /// <summary>The same body again and again, until it is answered with success.</summary>
    /// <param name="first">The service that is asked first, past the gateway; null: the gateway.</param>
    private async Task<JsonObject> RepeatAsync(object command, string? first = null) =>
        (
            await Eventually.NotNullAsync(async () =>
            {
                using var direct = first is null ? null : galaxy.Client(first);
                first = null;
                try
                {
                    using var answer = await (direct ?? galaxy.Http).PostAsJsonAsync(
                        "/api/v1/command",
                        command,
                        GalaxyJson.Options
                    );
                    if (answer.IsSuccessStatusCode)
                        return await answer.Content.ReadFromJsonAsync<JsonObject>();
                    Assert.True(
                        answer.StatusCode
                            is HttpStatusCode.BadGateway
                                or HttpStatusCode.ServiceUnavailable
                                or HttpStatusCode.GatewayTimeout,
                        $"{answer.StatusCode}"
                    );
                    return null;
                }
                catch (Exception failure)
                    when (failure is HttpRequestException or OperationCanceledException or JsonException)
                {
                    return null;
                }
            })
        )!;
}
