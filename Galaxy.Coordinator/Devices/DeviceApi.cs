using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;

namespace Galaxy.Coordinator.Devices;

/// <summary><c>POST /api/v1/devices/register</c>. Capabilities may be names or objects.</summary>
internal sealed record RegisterDeviceRequest(
    string? DeviceId, string? DeviceType, string? DeviceName, JsonArray? Capabilities, string? OsVersion, string? AppVersion);

internal static class DeviceApi
{
    public static void MapDeviceApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/v1/devices", (DeviceRegistry registry) => Results.Ok(registry.List())).WithSummary("Every device that was ever seen");
        endpoints.MapGet("/api/v1/devices/{id}", (string id, DeviceRegistry registry) =>
            registry.Get(id) is { } device ? Results.Ok(device) : Results.Problem($"There is no device '{id}'.", statusCode: 404));
        endpoints.MapPost("/api/v1/devices/register", Register).RequireLeader().WithSummary("Register a device before it connects");
        endpoints.Map("/ws/device/{id}", (HttpContext context, string id, DeviceSocket socket) => socket.AcceptAsync(context, id)).ExcludeFromDescription();
        endpoints.Map("/ws", (HttpContext context, DeviceSocket socket) => socket.AcceptAsync(context, null)).ExcludeFromDescription();
    }

    private static IResult Register(RegisterDeviceRequest request, DeviceRegistry registry, TimeProvider time)
    {
        if (!DeviceRegistry.IsValidId(request.DeviceId))
            return Results.Problem("'device_id' is required: letters, digits, '-', '_', '.' and ':', at most 128.", statusCode: 400);
        var known = registry.Get(request.DeviceId!) ?? new DeviceView { DeviceId = request.DeviceId!, State = "offline" };
        var device = known with
        {
            DeviceType = request.DeviceType ?? known.DeviceType,
            DeviceName = request.DeviceName ?? (known.DeviceName.Length > 0 ? known.DeviceName : known.DeviceId),
            Capabilities = request.Capabilities is { } list ? ReadCapabilities(list) : known.Capabilities,
            OsVersion = request.OsVersion ?? known.OsVersion,
            AppVersion = request.AppVersion ?? known.AppVersion,
            LastSeen = time.GetUtcNow(),
        };
        registry.Put(device);
        return Results.Created($"/api/v1/devices/{device.DeviceId}", device);
    }

    /// <summary>What is neither a name nor an object with one is skipped; at most 100 are kept.</summary>
    public static IReadOnlyList<DeviceCapability> ReadCapabilities(JsonArray list) => [.. list
        .Select(item => item switch
        {
            JsonValue value when value.TryGetValue<string>(out var name) => new DeviceCapability(name),
            JsonObject map when map["name"] is JsonValue value && value.TryGetValue<string>(out var name) => new DeviceCapability(
                name,
                map["version"]?.ToString() ?? "1",
                map["priority"] is JsonValue number && number.TryGetValue<int>(out var priority) ? Math.Clamp(priority, 1, 10) : 5),
            _ => null,
        })
        .OfType<DeviceCapability>()
        .Where(capability => capability.Name.Length is > 0 and <= 64)
        .DistinctBy(capability => capability.Name)
        .Take(100)];
}
