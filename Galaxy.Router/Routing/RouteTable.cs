using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Routing;

/// <summary>Something that requests can be routed to: a service or a device.</summary>
/// <param name="Kind"><c>service</c> or <c>device</c>.</param>
/// <param name="Layer"><c>kernel</c>, <c>gateway</c>, <c>tools</c> or <c>physical</c>.</param>
/// <param name="Url">Empty for devices: they are reached through tasks.</param>
/// <param name="Status"><c>healthy</c>, <c>degraded</c>, <c>unhealthy</c> or <c>unknown</c>.</param>
/// <param name="Load">0 to 1.</param>
internal sealed record RouteTarget(
    string Id, string Kind, string Type, string Layer, string Url, string Status, double Load, IReadOnlyList<string> Capabilities);

/// <summary>All targets, as the coordinators see them now.</summary>
internal static class RouteTable
{
    public static IReadOnlyList<RouteTarget> Read(ClusterView view) =>
    [
        .. view.Nodes.Select(node => new RouteTarget(
            node.NodeId, "service", node.Role, "kernel", node.Url,
            node.State switch { "alive" => "healthy", "suspect" => "degraded", _ => "unhealthy" }, 0, ["cluster", "tasks"])),
        .. view.Services.Select(service => new RouteTarget(
            service.Id, "service", service.Kind, service.Layer, service.Url, "healthy", service.Load, [.. service.Capabilities.Select(c => c.Name)])),
        .. view.Devices.Select(device => new RouteTarget(
            device.DeviceId, "device", device.DeviceType, "physical", "",
            device.State switch { "online" or "idle" or "busy" => "healthy", "error" or "maintenance" => "degraded", "offline" => "unhealthy", _ => "unknown" },
            device.Load, [.. device.Capabilities.Select(c => c.Name)])),
    ];
}
