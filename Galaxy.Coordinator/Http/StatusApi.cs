using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Http;

/// <summary>The original's <c>/status</c> and <c>/stats</c>.</summary>
internal static class StatusApi
{
    public static void MapStatusApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/status", (ClusterFeed cluster, DeviceRegistry registry, TaskEngine tasks) =>
            {
                var devices = registry.List();
                var response = cluster.Response();
                return Results.Ok(
                    new
                    {
                        status = response.Leader is null ? "no leader" : "running",
                        cluster = response.Cluster,
                        leader = response.Leader?.NodeId,
                        nodes = response.Nodes.Count,
                        devices = new { total = devices.Count, online = devices.Count(ClusterFeed.IsOnline) },
                        tasks = new { open = tasks.OpenCount, waiting = tasks.WaitingCount },
                    }
                );
            })
            .WithTags("Status")
            .WithSummary("The cluster in a few words");
        endpoints
            .MapGet("/stats", (DeviceRegistry registry, TaskEngine tasks) =>
            {
                var devices = registry.List();
                return Results.Ok(
                    new
                    {
                        devices_by_state = devices.CountBy(device => device.State).ToDictionary(),
                        devices_by_type = devices.CountBy(device => device.DeviceType).ToDictionary(),
                        open_tasks_by_state = tasks.Open.CountBy(task => TaskErrors.Word(task.State)).ToDictionary(),
                        tasks_kept = tasks.KeptCount,
                        capabilities = devices
                            .Where(ClusterFeed.IsOnline)
                            .SelectMany(device => device.Capabilities)
                            .CountBy(one => one.Name)
                            .ToDictionary(),
                    }
                );
            })
            .WithTags("Status")
            .WithSummary("Devices and tasks in numbers");
    }
}
