using Galaxy.ServiceDefaults.OpenApi;

namespace Galaxy.Coordinator.Http;

/// <summary>
/// <c>/openapi/v1.json</c>: what this coordinator answers, with an example for each body that is not obvious.
/// </summary>
internal static class ApiDescription
{
    private static readonly Dictionary<string, string> Examples = new(StringComparer.Ordinal)
    {
        ["/api/v1/tasks"] =
            """{"name":"photo","action":"camera.take","params":{"flash":true},"required_capabilities":"""
            + """["camera"],"priority":8,"timeout_seconds":60,"retry":{"max_attempts":"""
            + """3,"backoff":"exponential"}}""",
        ["/api/v1/tasks/batch"] = """[{"action":"echo","params":{"n":1}},{"action":"echo","params":{"n":2}}]""",
        ["/api/v1/tasks/{id}/coordinate"] = """{"devices":["phone-1","tablet-1"]}""",
        ["/api/v1/command"] =
            """{"command":"open_app","targets":["phone-1","pc-1"],"params":"""
            + """{"app":"notes"},"mode":"sync","timeout":30}""",
        ["/api/v1/devices/register"] =
            """{"device_id":"phone-1","device_type":"android","device_name":"My phone","capabilities":"""
            + """["camera",{"name":"screenshot","priority":8}],"os_version":"15","app_version":"2.1"}""",
        ["/api/v1/groups"] = """{"group_id":"living-room","name":"Living room","devices":["lamp-1","tv-1"]}""",
        ["/api/v1/groups/{id}/broadcast"] = """{"command":"switch_off","params":{}}""",
        ["/execute/parallel"] =
            """{"commands":[{"device_id":"phone-1","command":"ring"},"""
            + """{"device_id":"lamp-1","command":"on","params":{"level":0.5}}],"timeout":10}""",
        ["/execute/all"] = """{"command":"ping","params":{}}""",
    };

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddApiDescription(
            "v1",
            "Galaxy coordinator (Node_71)",
            "Cluster, failover, replicated state, configuration, devices and tasks. Field names are "
                + "snake_case; errors are problem documents (RFC 9457) that name the field.",
            Examples
        );
}
