using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Http;

/// <summary>Tasks, in both dialects: <c>/api/v1/tasks</c> and the original's <c>/tasks</c>.</summary>
internal static class TaskApi
{
    private const int MostListed = 1000;
    private const int MostAtOnce = 1000;
    private const int MostLooks = 20;
    private const int MaxKeyLength = 256;

    public static void MapTaskApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var root in (string[])["/api/v1/tasks", "/tasks"])
        {
            var group = endpoints.MapGroup(root).WithTags("Tasks").AddEndpointFilter(TaskErrors.ExplainAsync);
            group
                .MapPost("", SubmitAsync)
                .RequireLeader()
                .Produces<TaskView>(201)
                .Produces<TaskView>()
                .ProducesProblem(400)
                .ProducesProblem(422)
                .WithSummary("Submit a task; 201 means that it is durable")
                .WithDescription(
                    "Either one 'action' with 'params', or 'subtasks'. With an Idempotency-Key the same "
                        + "request may be sent again: it is answered with the same task."
                );
            group
                .MapPost("/batch", SubmitManyAsync)
                .RequireLeader()
                .Produces<TaskView[]>(201)
                .Produces<TaskView[]>()
                .ProducesProblem(400)
                .ProducesProblem(422)
                .WithSummary($"Submit up to {MostAtOnce} independent tasks at once")
                .WithDescription(
                    "All of them are accepted or none. With an Idempotency-Key the same request may be "
                        + "sent again: it is answered with the same tasks in the same order, with 200 when none "
                        + "of them is new."
                );
            group
                .MapGet("", ListAsync)
                .Produces<TaskView[]>()
                .WithSummary("The newest tasks")
                .WithDescription(
                    "Filters: state, device, tag, parent. Older ones follow the 'Link' header with "
                        + "rel=next; a page may have a few more than 'limit'."
                );
            group
                .MapGet("/watch", TaskWatch.Start)
                .RequireLeader()
                .WithSummary(
                    "What becomes of all tasks, as server-sent events from now on: one for every change; 'ready' first"
                )
                .WithDescription("Whoever reads too slowly misses the oldest changes, never the newest.");
            group
                .MapGet("/{id}", ReadAsync)
                .Produces<TaskView>()
                .ProducesProblem(404)
                .ProducesProblem(409)
                .WithSummary("One task with its result");
            group
                .MapGet("/{id}/events", EventsAsync)
                .WithSummary("What becomes of it, as server-sent events, until it is over");
            group
                .MapPost("/{id}/cancel", CancelAsync)
                .RequireLeader()
                .Produces<TaskView>()
                .ProducesProblem(404)
                .ProducesProblem(409)
                .WithSummary("Cancel it, with its parts");
            group
                .MapPost("/{id}/execute", ExecuteAsync)
                .RequireLeader()
                .Produces<TaskView>()
                .ProducesProblem(404)
                .ProducesProblem(409)
                .WithSummary("Let a task go that was submitted with 'hold'");
            group
                .MapPost("/{id}/coordinate", CoordinateAsync)
                .RequireLeader()
                .Produces<TaskView>(201)
                .ProducesProblem(400)
                .ProducesProblem(404)
                .WithSummary("Run the action of a task on several devices, which start together");
        }
    }

    private static async Task<IResult> SubmitAsync(
        TaskRequest request,
        HttpContext context,
        TaskSubmitter submitter,
        TimeProvider time
    )
    {
        var key = KeyOf(context) is { } text ? SubmissionKey.OfTask(text, request) : null;
        var (task, isNew) = await submitter.SubmitAsync(TaskSubmission.Read(request, time.GetUtcNow()), key);
        return isNew ? Results.Created($"/api/v1/tasks/{task.TaskId}", task) : Results.Ok(task);
    }

    /// <summary>The Idempotency-Key of a request; null: it has none.</summary>
    /// <exception cref="BadTaskException">It is empty or too long.</exception>
    private static string? KeyOf(HttpContext context)
    {
        if (context.Request.Headers["Idempotency-Key"] is not { Count: > 0 } header)
            return null;
        var key = header.ToString();
        return key.Length is > 0 and <= MaxKeyLength
            ? key
            : throw new BadTaskException($"'Idempotency-Key' must have 1 to {MaxKeyLength} characters.");
    }

    private static async Task<IResult> SubmitManyAsync(
        IReadOnlyList<TaskRequest> requests,
        HttpContext context,
        TaskSubmitter submitter,
        TimeProvider time
    )
    {
        if (requests.Count is 0 or > MostAtOnce)
            return Results.Problem($"The body must be a list of 1 to {MostAtOnce} tasks.", statusCode: 400);
        var read = new List<IReadOnlyList<TaskView>>(requests.Count);
        for (var i = 0; i < requests.Count; i++)
        {
            try
            {
                read.Add(
                    TaskSubmission.Read(
                        requests[i] ?? throw new BadTaskException("it must be an object."),
                        time.GetUtcNow()
                    )
                );
            }
            catch (BadTaskException bad)
            {
                throw new BadTaskException($"Task {i}: {bad.Message}");
            }
        }
        var (tasks, isNew) = await submitter.SubmitManyAsync(
            read,
            KeyOf(context) is { } key ? SubmissionKey.OfBatch(key, read.Count, requests) : null
        );
        return Results.Json(tasks, statusCode: isNew ? 201 : 200);
    }

    private static async Task<IResult> ListAsync(
        TaskStore store,
        TaskEngine engine,
        int? limit,
        string? state,
        string? device,
        string? tag,
        string? parent,
        long? cursor,
        HttpContext context
    )
    {
        if (limit is < 1 or > MostListed)
            return Results.Problem($"'limit' must be 1 to {MostListed}.", statusCode: 400);
        TaskState? wanted = null;
        if (state is not null && (wanted = TaskMapping.ParseWord<TaskState>(state)) is null)
            return Results.Problem(
                $"'state' is '{state}'; allowed are {TaskMapping.Words<TaskState>()}.",
                statusCode: 400
            );
        var count = limit ?? 50;
        var found = new List<TaskView>();
        // Filtered pages are gathered from unfiltered ones, as far back as is reasonable to look.
        for (var looks = 0; looks < MostLooks && found.Count < count; looks++)
        {
            var (page, next) = await store.ReadRecentAsync(count, cursor);
            found.AddRange(
                page.Select(task => WithProgress(engine, task))
                    .Where(task =>
                        (wanted is null || task.State == wanted)
                        && (device is null || task.DeviceId == device || task.TargetDevice == device)
                        && (tag is null || task.Tags?.Contains(tag) == true)
                        && (parent is null || task.ParentId == parent)
                    )
            );
            if ((cursor = next) is null)
                break;
        }
        if (cursor is not null)
            context.Response.Headers.Link =
                $"<{context.Request.Path}?{string.Join('&', context.Request.Query.Where(pair => pair.Key != "cursor").SelectMany(pair => pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value ?? "")}")).Append($"cursor={cursor}"))}>; rel=\"next\"";
        return Results.Ok(found);
    }

    /// <summary>The stored task with the progress that only the leader knows of.</summary>
    private static TaskView WithProgress(TaskEngine engine, TaskView stored) =>
        engine.Find(stored.TaskId) is { } live && live.AttemptId == stored.AttemptId && !stored.IsOver
            ? stored with
            {
                State = live.State,
                Progress = live.Progress,
            }
            : stored;

    private static IResult NoTask(string id) => Results.Problem($"There is no task '{id}'.", statusCode: 404);

    private static async Task<IResult> ReadAsync(
        string id,
        TaskStore store,
        TaskEngine engine,
        Quarantine quarantine
    ) =>
        await store.ReadAsync(id) is { } task ? Results.Ok(WithProgress(engine, task))
        : quarantine.Contains(Quarantine.Tasks, id)
            ? Results.Problem(
                $"The task '{id}' is stored and cannot be used: it is set aside. 'galaxy quarantine' says why.",
                statusCode: 409
            )
        : NoTask(id);

    private static async Task<IResult> CancelAsync(string id, TaskEngine engine, TaskStore store)
    {
        if (await engine.AskAsync(new TaskEvent.Cancel(id, "cancelled by a client")) is { } cancelled)
            return Results.Ok(cancelled);
        return await store.ReadAsync(id) is { } task
            ? Results.Problem($"The task is over: {TaskErrors.Word(task.State)}.", statusCode: 409)
            : NoTask(id);
    }

    private static async Task<IResult> ExecuteAsync(string id, TaskEngine engine, TaskStore store)
    {
        var before = engine.Find(id) ?? await store.ReadAsync(id);
        if (before is null)
            return NoTask(id);
        if (before.State != TaskState.Pending && before.Subtasks is null || before.IsOver)
            return Results.Problem(
                $"Only a task that was submitted with 'hold' waits for this; it is {TaskErrors.Word(before.State)}.",
                statusCode: 409
            );
        return await engine.AskAsync(new TaskEvent.Release(id)) is { } task ? Results.Ok(task) : NoTask(id);
    }

    /// <summary><c>POST /tasks/{id}/coordinate</c>.</summary>
    internal sealed record CoordinateRequest(IReadOnlyList<string>? Devices);

    private static async Task<IResult> CoordinateAsync(
        string id,
        CoordinateRequest request,
        TaskEngine engine,
        TaskStore store,
        TaskSubmitter submitter,
        TimeProvider time
    )
    {
        if ((engine.Find(id) ?? await store.ReadAsync(id)) is not { } task)
            return NoTask(id);
        if (task.Action.Length == 0)
            return Results.Problem("The task consists of parts already.", statusCode: 400);
        if (request.Devices is not { Count: > 0 })
            return Results.Problem("'devices' must name at least one device.", statusCode: 400);
        var (gang, _) = await submitter.SubmitAsync(
            TaskSubmission.Read(
                new TaskRequest
                {
                    Name = task.Name,
                    Priority = task.Priority,
                    TimeoutSeconds = task.TimeoutSeconds,
                    Gang = true,
                    Subtasks =
                    [
                        .. request.Devices.Select(device => new SubtaskRequest
                        {
                            Name = device,
                            Action = task.Action,
                            Params = task.Params,
                            TargetDevice = device,
                        }),
                    ],
                },
                time.GetUtcNow()
            )
        );
        return Results.Created($"/api/v1/tasks/{gang.TaskId}", gang);
    }

    private static async Task<IResult> EventsAsync(
        string id,
        TaskEngine engine,
        TaskStore store,
        TaskFeed feed,
        HttpContext context
    )
    {
        var subscription = feed.Subscribe(task => task.TaskId == id || task.ParentId == id);
        context.Response.RegisterForDispose(subscription);
        if ((await store.ReadAsync(id) ?? engine.Find(id)) is not { } task)
            return NoTask(id);
        return TypedResults.ServerSentEvents(
            FollowAsync(WithProgress(engine, task), subscription, context.RequestAborted)
        );
    }

    private static async IAsyncEnumerable<SseItem<TaskView>> FollowAsync(
        TaskView first,
        TaskSubscription subscription,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        yield return Item(first);
        if (first.IsOver)
            yield break;
        await foreach (var task in subscription.ReadAllAsync(cancellation))
        {
            yield return Item(task);
            if (task.TaskId == first.TaskId && task.IsOver)
                yield break;
        }

        static SseItem<TaskView> Item(TaskView task) => new(task, TaskErrors.Word(task.State));
    }
}

/// <summary>What is wrong with a request, as problem documents.</summary>
internal static class TaskErrors
{
    public static string Word(TaskState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    public static async ValueTask<object?> ExplainAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        try
        {
            return await next(invocation);
        }
        catch (BadTaskException bad)
        {
            return Results.Problem(bad.Message, statusCode: 400);
        }
        catch (TaskTooLargeException large)
        {
            return Results.Problem(large.Message, statusCode: 413);
        }
        catch (KeyReusedException reused)
        {
            return Results.Problem(reused.Message, statusCode: 422);
        }
        catch (TaskQueueFullException full)
        {
            invocation.HttpContext.Response.Headers.RetryAfter = full.IsOfTasks ? "30" : "1";
            return Results.Problem(full.Message, statusCode: 503);
        }
    }
}
