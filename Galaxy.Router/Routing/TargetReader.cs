using Galaxy.Contracts.Cluster;
using Galaxy.Core.Routing;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Routing;

/// <summary>Reads what the coordinators tell as targets.</summary>
internal static class TargetReader
{
    private static readonly RouteCapability[] OfEveryCoordinator =
    [
        new("cluster")
        {
            Description = "The cluster: leader, coordinators, services and how many devices are online.",
            Method = "GET",
            Path = "/api/v1/cluster",
            IsIdempotent = true,
            Parameters = """{"type":"object","additionalProperties":false}""",
        },
        new("tasks")
        {
            Description = "The newest tasks, with their states and results.",
            Method = "GET",
            Path = "/api/v1/tasks",
            IsIdempotent = true,
            Parameters =
                """{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":"""
                + """1000},"state":{"type":"string"},"device":{"type":"string"},"tag":"""
                + """{"type":"string"}},"additionalProperties":false}""",
        },
    ];

    private static readonly RouteCapability[] OfTheLeader =
    [
        .. OfEveryCoordinator,
        new("tasks.submit")
        {
            Description =
                "Submit a task for a device: an action with its parameters. Answers at once, before it is "
                + "done; 'tasks' tells what became of it.",
            Path = "/api/v1/tasks",
            Parameters =
                """{"type":"object","required":["action"],"properties":{"action":"""
                + """{"type":"string","description":"What to do: the name of a device's """
                + """capability"},"params":{"type":"object"},"target_device":"""
                + """{"type":"string"},"timeout_seconds":{"type":"number","exclusiveMinimum":0,"maximum":"""
                + """86400},"priority":{"enum":[1,2,5,8,10]},"cron":{"type":"string"},"not_before":"""
                + """{"type":"string","format":"date-time"}}}""",
        },
    ];

    public static IEnumerable<RouteTarget> Read(ClusterView view)
    {
        // Devices of one kind share theirs.
        var known = new Dictionary<Capability, RouteCapability>(ReferenceEqualityComparer.Instance);
        return view
            .Nodes.Select(node => Coordinator(node, view))
            .Concat(view.Services.Select(Service))
            .Concat(view.Devices.Select(device => Device(device, known)));
    }

    private static RouteTarget Coordinator(Node node, ClusterView view)
    {
        var leads = view.UsableLeader?.Boot == node.Boot;
        var status = node.State switch
        {
            "alive" => TargetStatus.Healthy,
            "suspect" => TargetStatus.Degraded,
            _ => TargetStatus.Unhealthy,
        };
        return new RouteTarget(node.NodeId, IsDevice: false, node.Role, "kernel", node.Url, status, 0)
        {
            Labels = new Dictionary<string, string> { ["role"] = node.Role, ["leader"] = leads ? "true" : "false" },
            Capabilities = leads ? OfTheLeader : OfEveryCoordinator,
        };
    }

    private static RouteTarget Service(Service service) =>
        new(
            service.Id,
            IsDevice: false,
            service.Kind,
            service.Layer,
            service.Url,
            StatusOf(service.Status),
            service.Load
        )
        {
            Labels = service.Labels,
            Location = service.Location,
            Capabilities = [.. service.Capabilities.Select(Capability)],
        };

    private static RouteTarget Device(Device device, Dictionary<Capability, RouteCapability> known)
    {
        RouteCapability Shared(Capability told) =>
            known.TryGetValue(told, out var read) ? read : known[told] = Capability(told);
        var status = device.State switch
        {
            "online" or "idle" or "busy" => TargetStatus.Healthy,
            "error" or "maintenance" => TargetStatus.Degraded,
            "offline" => TargetStatus.Unhealthy,
            _ => TargetStatus.Unknown,
        };
        return new RouteTarget(device.DeviceId, IsDevice: true, device.DeviceType, "physical", "", status, device.Load)
        {
            // A tag without a value is a label as well.
            Labels = device
                .Tags.Select(tag => tag.Split('=', 2))
                .DistinctBy(pair => pair[0])
                .ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? ""),
            Location = device.Location,
            Slots = Math.Max(1, device.Slots),
            Capabilities = [.. device.Capabilities.Select(Shared)],
        };
    }

    private static RouteCapability Capability(Capability capability)
    {
        var read = new RouteCapability(capability.Name)
        {
            Version = capability.Version,
            Priority = capability.Priority,
            IsIdempotent = capability.Idempotent,
            Description = capability.Description is { Length: > 0 } text ? text : null,
            Parameters = capability.Parameters is { Length: > 0 } schema ? schema : null,
        };
        return read with
        {
            Path = capability.Path is { Length: > 0 } path ? path : read.Path,
            Method = capability.Method is { Length: > 0 } method ? method : read.Method,
        };
    }

    /// <summary>Empty: healthy.</summary>
    public static TargetStatus StatusOf(string word) =>
        word switch
        {
            "" or "healthy" => TargetStatus.Healthy,
            "degraded" => TargetStatus.Degraded,
            "unhealthy" => TargetStatus.Unhealthy,
            _ => TargetStatus.Unknown,
        };
}
