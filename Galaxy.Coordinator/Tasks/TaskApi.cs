using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;

namespace Galaxy.Coordinator.Tasks;

internal static class TaskApi
{
    private static readonly int[] Priorities = [1, 2, 5, 8, 10];

    public static void MapTaskApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/api/v1/tasks", SubmitAsync).RequireLeader().Produces<TaskView>(201).ProducesProblem(400)
            .WithSummary("Submit a task; 201 means that it is durable");
        endpoints.MapGet("/api/v1/tasks", async (TaskStore store, int? limit) => Results.Ok(await store.ReadRecentAsync(Math.Clamp(limit ?? 50, 1, 1000))))
            .WithSummary("The newest tasks");
        endpoints.MapGet("/api/v1/tasks/{id}", async (string id, TaskStore store, TaskEngine engine) =>
                await store.ReadAsync(id) is { } task ? Results.Ok(engine.WithProgress(task)) : Results.Problem($"There is no task '{id}'.", statusCode: 404))
            .Produces<TaskView>().WithSummary("One task with its result");
    }

    private static async Task<IResult> SubmitAsync(TaskRequest request, TaskEngine engine)
    {
        if (Complaint(request) is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        var task = await engine.SubmitAsync(request, request.Action!);
        return Results.Created($"/api/v1/tasks/{task.TaskId}", task);
    }

    private static string? Complaint(TaskRequest request) => request switch
    {
        { Action: null or "" } => "'action' is required, for instance \"echo\".",
        { Action.Length: > 128 } => "'action' may have at most 128 characters.",
        { Name.Length: > 256 } => "'name' may have at most 256 characters.",
        { Priority: { } priority } when !Priorities.Contains(priority) => $"'priority' is {priority}; allowed are {string.Join(", ", Priorities)}.",
        { TimeoutSeconds: <= 0 or > 86_400 } => "'timeout_seconds' must be more than 0 and at most 86,400.",
        { MaxAttempts: < 1 or > 20 } => "'max_attempts' must be 1 to 20.",
        { TargetDevice: { } device } when !Devices.DeviceRegistry.IsValidId(device) => $"'target_device' is '{device}', which cannot be a device id.",
        _ => null,
    };
}
