using Galaxy.Contracts.Cluster;
using Galaxy.Router.Invocation;
using Galaxy.ServiceDefaults.Cluster;
using Grpc.Core;

namespace Galaxy.Router.Registration;

/// <summary>
/// Services that are not part of Galaxy: they register, and are known to every router while they send heartbeats.
/// </summary>
internal static class RegistrationApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void MapRegistrationApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapPost("/register", RegisterAsync)
            .WithSummary("Register a service, or renew its registration")
            .ProducesProblem(400)
            .ProducesProblem(409)
            .ProducesProblem(503);
        endpoints
            .MapPost("/heartbeat", HeartbeatAsync)
            .WithSummary("A registered service is still there, with this load")
            .ProducesProblem(400)
            .ProducesProblem(404)
            .ProducesProblem(503);
        endpoints
            .MapDelete("/nodes/{id}", LeaveAsync)
            .WithSummary("A registered service is leaving")
            .ProducesProblem(404)
            .ProducesProblem(409)
            .ProducesProblem(503);
    }

    private static async Task<IResult> RegisterAsync(
        RegisterRequest request,
        ClusterWatcher watcher,
        CoordinatorChannels channels,
        TimeProvider time
    )
    {
        if (request.Complaint() is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        if (IsOurs(watcher.Current, request.NodeId!))
            return Results.Problem(
                $"'{request.NodeId}' is the name of a part of the cluster; choose another 'node_id'.",
                statusCode: 409
            );
        var service = request.ToService();
        return await AskAsync(watcher, channels, time, (client, deadline) =>
            client.AnnounceAsync(service, deadline: deadline).ResponseAsync
        )
            ?? Results.Ok(
                new
                {
                    status = "registered",
                    node_id = service.Id,
                    ttl_seconds = service.TtlMs / 1000.0,
                }
            );
    }

    private static async Task<IResult> HeartbeatAsync(
        HeartbeatRequest request,
        ClusterWatcher watcher,
        CoordinatorChannels channels,
        TimeProvider time
    )
    {
        if (request.NodeId is not { Length: > 0 })
            return Results.Problem("'node_id' is required.", statusCode: 400);
        if (RegisterRequest.StateComplaint(request.Load, request.Status) is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        if (Registered(watcher.Current, request.NodeId) is not { } known)
            return Results.Problem(
                $"'{request.NodeId}' is not registered, or its registration has run out: POST /register.",
                statusCode: 404
            );
        var service = known.Clone();
        (service.Load, service.Status) = (request.Load ?? known.Load, request.Status ?? known.Status);
        return await AskAsync(watcher, channels, time, (client, deadline) =>
            client.AnnounceAsync(service, deadline: deadline).ResponseAsync
        )
            ?? Results.Ok(
                new
                {
                    status = "ok",
                    node_id = service.Id,
                    ttl_seconds = service.TtlMs / 1000.0,
                }
            );
    }

    private static async Task<IResult> LeaveAsync(
        string id,
        ClusterWatcher watcher,
        CoordinatorChannels channels,
        TimeProvider time
    )
    {
        if (IsOurs(watcher.Current, id))
            return Results.Problem($"'{id}' is a part of the cluster and leaves when it is stopped.", statusCode: 409);
        if (Registered(watcher.Current, id) is null)
            return Results.Problem($"'{id}' is not registered.", statusCode: 404);
        return await AskAsync(watcher, channels, time, (client, deadline) =>
            client.WithdrawAsync(new WithdrawRequest { Id = id }, deadline: deadline).ResponseAsync
        ) ?? Results.NoContent();
    }

    private static Service? Registered(ClusterView view, string id) =>
        view.Services.FirstOrDefault(service => service.Id == id && service.Kind == TargetHttp.External);

    private static bool IsOurs(ClusterView view, string id) =>
        view.Nodes.Any(node => node.NodeId == id)
        || view.Devices.Any(device => device.DeviceId == id)
        || view.Services.Any(service => service.Id == id && service.Kind != TargetHttp.External);

    /// <summary>
    /// Null when a coordinator has taken it. The leader's word spreads fastest; any other gossips it on.
    /// </summary>
    private static async Task<IResult?> AskAsync(
        ClusterWatcher watcher,
        CoordinatorChannels channels,
        TimeProvider time,
        Func<Contracts.Cluster.Cluster.ClusterClient, DateTime, Task> call
    )
    {
        var view = watcher.Current;
        string? problem = null;
        foreach (var coordinator in view.Reachable.OrderByDescending(node => node.Boot == view.UsableLeader?.Boot))
        {
            try
            {
                await call(channels.Cluster(coordinator.GrpcUrl), time.GetUtcNow().UtcDateTime + Patience);
                return null;
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.InvalidArgument)
            {
                return Results.Problem(failure.Status.Detail, statusCode: 400);
            }
            catch (RpcException failure)
            {
                problem = failure.Status.Detail;
            }
        }
        return Results.Problem(
            problem is null
                ? "No coordinator can be reached. Try again shortly."
                : $"No coordinator took it: {problem}. Try again shortly.",
            statusCode: 503
        );
    }
}
