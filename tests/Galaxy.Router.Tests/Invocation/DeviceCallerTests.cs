using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Cluster;
using Galaxy.Core.Routing;
using Galaxy.Router.Invocation;
using Galaxy.Router.Tests.Lab;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Input;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Router.Tests.Invocation;

public sealed class DeviceCallerTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Key, TaskRequest Task)> _submitted = new();
    private readonly ConcurrentQueue<string> _cancelled = new();
    private readonly TaskCompletionSource _followed = new();
    private OneRouter _router = null!;

    public async ValueTask InitializeAsync()
    {
        _router = await OneRouter.StartAsync();
        await _router.SayAsync(
            snapshot =>
            {
                foreach (var id in (string[])["lamp-1", "lamp-2"])
                    snapshot.Devices.Add(
                        new Device
                        {
                            DeviceId = id,
                            State = "online",
                            Tags = { "room=" + id },
                            CapabilityIndexes = { 0 },
                        }
                    );
                snapshot.DeviceCapabilities.Add(new Capability { Name = "light" });
            },
            table => table.ById.ContainsKey("lamp-2")
        );
    }

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    private static TaskView View(TaskState state, string? error = null) =>
        new()
        {
            TaskId = "t1",
            Name = "invoke light",
            Action = "light",
            State = state,
            DeviceId = "lamp-1",
            Attempts = 1,
            Result = state == TaskState.Completed ? JsonSerializer.SerializeToElement(new { lit = true }) : null,
            Error = error,
        };

    /// <summary>The leader: what it answers to each submission in turn, the last one for ever.</summary>
    private void Leader(params (int Status, object? Body)[] answers)
    {
        var turn = 0;
        _router.Coordinator.Answer = async context =>
        {
            switch (context.Request.Method, context.Request.Path.Value)
            {
                case ("POST", "/api/v1/tasks"):
                    var task = await context.Request.ReadFromJsonAsync<TaskRequest>(GalaxyJson.Options);
                    _submitted.Enqueue((context.Request.Headers["Idempotency-Key"].ToString(), task!));
                    var (status, body) = answers[Math.Min(turn++, answers.Length - 1)];
                    context.Response.StatusCode = status;
                    await context.Response.WriteAsJsonAsync(body, GalaxyJson.Options);
                    break;
                case ("POST", var path):
                    _cancelled.Enqueue(path!);
                    break;
                default:
                    context.Response.ContentType = "text/event-stream";
                    await context.Response.Body.FlushAsync();
                    _followed.TrySetResult();
                    await Task.Delay(Timeout.Infinite, context.RequestAborted)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
            }
        };
    }

    private Task<InvokeOutcome> InvokeAsync(
        Func<RouteQuery, RouteQuery>? narrow = null,
        string body = "{}",
        bool isSafe = false
    ) =>
        _router
            .Get<Invoker>()
            .InvokeAsync(
                new InvokeRequest(
                    (narrow ?? (query => query))(new RouteQuery("light")),
                    RequestBody.Json(Encoding.UTF8.GetBytes(body)),
                    TimeSpan.FromSeconds(30),
                    isSafe,
                    Hedge: true
                ),
                default
            );

    [Fact]
    public async Task A_task_is_submitted_under_one_key_until_a_leader_takes_it()
    {
        Leader((421, null), (503, null), (201, View(TaskState.Completed)));

        var outcome = await _router.MoveUntilAsync(InvokeAsync(), TimeSpan.FromMilliseconds(100));

        Assert.True(Assert.IsType<DeviceAnswered>(outcome).Task.Result!.Value.GetProperty("lit").GetBoolean());
        Assert.Equal(3, _submitted.Count);
        Assert.NotEmpty(Assert.Single(_submitted.Select(one => one.Key).Distinct()));
    }

    [Fact]
    public async Task What_the_leader_refuses_is_told_and_nothing_was_done()
    {
        Leader((400, new { detail = "'params' are wrong" }));

        var failed = Assert.IsType<InvokeFailed>(await InvokeAsync());

        Assert.Equal((400, "'params' are wrong", false), (failed.Status, failed.Detail, failed.MayHaveRun));
    }

    [Fact]
    public async Task A_task_that_takes_too_long_is_cancelled()
    {
        Leader((201, View(TaskState.Running)));
        var invoked = InvokeAsync();
        await _followed.Task.WaitAsync(OneRouter.Patience);

        _router.Time.Advance(TimeSpan.FromSeconds(30));

        var failed = Assert.IsType<InvokeFailed>(await invoked.WaitAsync(OneRouter.Patience));
        Assert.Equal((504, true), (failed.Status, failed.MayHaveRun));
        Assert.Equal(["/api/v1/tasks/t1/cancel"], _cancelled);
    }

    [Fact]
    public async Task Parameters_that_are_no_json_are_refused_before_anybody_is_asked()
    {
        Leader((201, View(TaskState.Completed)));

        var failed = Assert.IsType<InvokeFailed>(await InvokeAsync(body: "light!"));

        Assert.Equal((400, false), (failed.Status, failed.MayHaveRun));
        Assert.Empty(_submitted);
        Assert.IsType<DeviceAnswered>(await InvokeAsync(body: " \r\n"));
        Assert.Null(_submitted.Single().Task.Params);
    }

    [Fact]
    public async Task The_scheduler_is_told_whom_it_may_take_only_when_the_caller_narrowed_it()
    {
        Leader((201, View(TaskState.Completed)));

        await InvokeAsync();
        await InvokeAsync(query => query with { Labels = "room=lamp-2" });
        await InvokeAsync(query => query with { Exclude = ["lamp-2"] });
        await InvokeAsync(query => query with { Key = "me" }, isSafe: true);

        var tasks = _submitted.Select(one => one.Task).ToList();
        Assert.Equal([null, "lamp-2", "lamp-1", null], tasks.Select(task => task.RequiredDevices?.Single()));
        // The same key goes to the same device, whatever the scheduler thinks.
        Assert.NotNull(tasks[3].TargetDevice);
        Assert.Equal([1, 1, 1, 3], tasks.Select(task => task.MaxAttempts));
    }
}
