using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Core.Routing;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Router.Invocation;

/// <summary>
/// Sends a request to a device as a task of the leader, which knows the free devices; the task outlives the leader. The
/// router selects the devices that may do it, the scheduler the one that does. Thread-safe.
/// </summary>
internal sealed class DeviceCaller(TargetHttp http, ClusterWatcher watcher, TimeProvider time)
{
    private const int MostNamed = 100;
    private const int SafeAttempts = 3;
    private const double LongestTask = 86_400;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(2);

    /// <exception cref="OperationCanceledException">The caller left; the task is cancelled.</exception>
    public async Task<InvokeOutcome> CallAsync(
        RouteChoice choice,
        InvokeRequest invoke,
        CancellationToken deadline,
        CancellationToken caller
    )
    {
        if (invoke.Body.Whole is not { } body)
            return new InvokeFailed(
                413,
                $"A device takes at most {RequestBody.MostKept:N0} bytes of parameters at once.",
                MayHaveRun: false,
                null,
                0
            );
        if (!TryReadParameters(body, out var parameters))
            return new InvokeFailed(
                400,
                "The body must be JSON: it is the parameters of the capability.",
                MayHaveRun: false,
                null,
                0
            );
        // The same key until it is accepted: that it was submitted twice is not possible.
        var key = invoke.IdempotencyKey ?? Guid.NewGuid().ToString("N");
        var task = Request(choice, invoke, parameters);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(deadline, caller);
        string? taskId = null;
        try
        {
            var (submitted, refusal) = await SubmitAsync(task, key, ends.Token);
            if (refusal is not null)
                return refusal;
            taskId = submitted!.TaskId;
            ends.Token.ThrowIfCancellationRequested();
            return new DeviceAnswered(submitted.IsOver ? submitted : await FollowAsync(taskId, invoke, ends.Token));
        }
        catch (OperationCanceledException)
        {
            if (taskId is not null)
                await CancelAsync(taskId);
            caller.ThrowIfCancellationRequested();
            return taskId is null
                ? new InvokeFailed(
                    503,
                    "There was no leader to take it in time. Whether it was submitted is not known; send "
                        + "it again with the same Idempotency-Key.",
                    MayHaveRun: true,
                    null,
                    0
                )
                : new InvokeFailed(
                    504,
                    $"No device had answered within {invoke.Timeout.TotalSeconds:0.###} s; task {taskId} "
                        + $"is cancelled. Whether it was done is told by GET /api/v1/tasks/{taskId}.",
                    MayHaveRun: true,
                    choice.Target!.Id,
                    1
                );
        }
    }

    private static TaskRequest Request(RouteChoice choice, InvokeRequest invoke, JsonElement? parameters)
    {
        var query = invoke.Query;
        var task = new TaskRequest
        {
            Name = $"invoke {query.Capability}",
            Action = query.Capability,
            Params = parameters,
            TimeoutSeconds = Math.Clamp(invoke.Timeout.TotalSeconds, 0.001, LongestTask),
            MaxAttempts = invoke.IsSafe || choice.Offer(query.Capability)?.IsIdempotent == true ? SafeAttempts : 1,
            Location = query.Location,
            Tags = ["invoke"],
        };
        var allowed = choice
            .Among.Where(target => target.IsDevice && query.Exclude?.Contains(target.Id) != true)
            .Select(target => target.Id)
            .ToList();
        if (choice.Strategy.IsFixed || allowed.Count > MostNamed)
            return task with { TargetDevice = choice.Target!.Id };
        var isNarrowed =
            query.Labels is not null
            || query.Only is not null
            || query.Exclude is { Length: > 0 }
            || choice.Rule is { Groups.Count: > 0 };
        return task with { Strategy = choice.Strategy.Name, RequiredDevices = isNarrowed ? allowed : null };
    }

    private static bool TryReadParameters(ReadOnlyMemory<byte> body, out JsonElement? parameters)
    {
        parameters = null;
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
            return true;
        try
        {
            using var document = JsonDocument.Parse(body);
            parameters = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// Retries until a leader has accepted the task. When the caller leaves during a submission, the router still waits
    /// a moment for the answer: without the task's id it could not cancel the task.
    /// </summary>
    private async Task<(TaskView?, InvokeFailed?)> SubmitAsync(TaskRequest task, string key, CancellationToken ends)
    {
        using var moment = new CancellationTokenSource();
        await using var over = ends.Register(() => moment.CancelAfter(CancelPatience));
        while (true)
        {
            var leader = await LeaderAsync(ends);
            try
            {
                using var request = http.Request(HttpMethod.Post, leader + "/api/v1/tasks");
                request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
                request.Content = JsonContent.Create(task, options: GalaxyJson.Options);
                using var answer = await http.SendAsync(request, moment.Token);
                if (answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK)
                    return (await answer.Content.ReadFromJsonAsync<TaskView>(GalaxyJson.Options, moment.Token), null);
                if (
                    answer.StatusCode
                    is not (
                        HttpStatusCode.MisdirectedRequest
                        or HttpStatusCode.ServiceUnavailable
                        or HttpStatusCode.TooManyRequests
                    )
                )
                    return (
                        null,
                        new InvokeFailed(
                            (int)answer.StatusCode,
                            await DetailAsync(answer, moment.Token),
                            MayHaveRun: false,
                            null,
                            0
                        )
                    );
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException)
            {
                // The leader is gone; the next one accepts the task, or knows it already by its key.
            }
            await Task.Delay(Pause, time, ends);
        }
    }

    private async Task<TaskView> FollowAsync(string taskId, InvokeRequest invoke, CancellationToken ends)
    {
        var told = 0.0;
        while (true)
        {
            var leader = await LeaderAsync(ends);
            try
            {
                using var request = http.Request(HttpMethod.Get, $"{leader}/api/v1/tasks/{taskId}/events");
                using var answer = await http.SendAsync(request, ends);
                if (answer.IsSuccessStatusCode)
                {
                    await using var stream = await answer.Content.ReadAsStreamAsync(ends);
                    await foreach (
                        var item in SseParser
                            .Create(stream, (_, data) => JsonSerializer.Deserialize<TaskView>(data, GalaxyJson.Options))
                            .EnumerateAsync(ends)
                    )
                    {
                        if (item.Data is not { } task || task.TaskId != taskId)
                            continue;
                        if (task.IsOver)
                            return task;
                        if (task.Progress > told && invoke.Progress is { } progress)
                            await progress(told = task.Progress);
                    }
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException)
            {
                // The leader is gone; the task continues under the next one.
            }
            await Task.Delay(Pause, time, ends);
        }
    }

    private async Task CancelAsync(string taskId)
    {
        using var patience = new CancellationTokenSource(CancelPatience, time);
        try
        {
            using var request = http.Request(
                HttpMethod.Post,
                $"{await LeaderAsync(patience.Token)}/api/v1/tasks/{taskId}/cancel"
            );
            using var answer = await http.SendAsync(request, patience.Token);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            // The task ends by its own deadline.
        }
    }

    private async Task<string> LeaderAsync(CancellationToken ends)
    {
        if (watcher.Current.UsableLeader is { } leader)
            return leader.Url.TrimEnd('/');
        await foreach (var view in watcher.Changes(ends))
        {
            if (view.UsableLeader is { } next)
                return next.Url.TrimEnd('/');
        }
        throw new OperationCanceledException(ends);
    }

    private static async Task<string> DetailAsync(HttpResponseMessage answer, CancellationToken ends)
    {
        try
        {
            return (await answer.Content.ReadFromJsonAsync<JsonNode>(ends))?["detail"]?.ToString()
                ?? $"The leader answered {(int)answer.StatusCode}.";
        }
        catch (JsonException)
        {
            return $"The leader answered {(int)answer.StatusCode}.";
        }
    }
}
