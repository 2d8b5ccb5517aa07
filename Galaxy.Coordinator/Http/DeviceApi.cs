using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.State;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/devices/register</c>. Capabilities may be names or objects.</summary>
internal sealed record RegisterDeviceRequest
{
    public string? DeviceId { get; init; }
    public string? DeviceType { get; init; }
    public string? DeviceName { get; init; }
    public JsonElement? Capabilities { get; init; }
    public string? OsVersion { get; init; }
    public string? AppVersion { get; init; }
    public int? Slots { get; init; }
    public ResourceAmounts? Resources { get; init; }
    public string? Location { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public double? Weight { get; init; }
}

/// <summary>Devices, in both dialects: <c>/api/v1/devices</c> and the original's <c>/devices</c>.</summary>
internal static class DeviceApi
{
    public static void MapDeviceApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var root in (string[])["/api/v1/devices", "/devices"])
        {
            var group = endpoints.MapGroup(root).WithTags("Devices");
            group.ExplainStateErrors();
            group
                .MapGet(
                    "",
                    (DeviceRegistry registry, TaskEngine tasks, string? state, string? type, string? capability) =>
                        Results.Ok(
                            registry
                                .List()
                                .Where(device =>
                                    (state is null || device.State == state)
                                    && (type is null || device.DeviceType == type)
                                    && (capability is null || device.Capabilities.Any(one => one.Name == capability))
                                )
                                .Select(device => tasks.WithLoad(device))
                        )
                )
                .Produces<DeviceView[]>()
                .WithSummary("Every device that was ever seen");
            group
                .MapGet("/{id}", (string id, DeviceRegistry registry, TaskEngine tasks) =>
                    registry.Get(id) is { } device ? Results.Ok(tasks.WithLoad(device)) : NoDevice(id)
                )
                .Produces<DeviceView>()
                .ProducesProblem(404)
                .WithSummary("One device");
            group
                .MapPost("/register", Register)
                .RequireLeader()
                .Needs(AccessRole.Worker)
                .Produces<DeviceView>(201)
                .ProducesProblem(400)
                .WithSummary("Register a device before it connects, or change what is known of it");
            group
                .MapDelete("/{id}", Remove)
                .RequireLeader()
                .Needs(AccessRole.Operator)
                .Produces(204)
                .ProducesProblem(404)
                .ProducesProblem(409)
                .WithSummary("Forget a device that is not connected");
        }
        var old = endpoints.MapGroup("");
        old.ExplainStateErrors();
        old.MapPost("/devices", Register)
            .RequireLeader()
            .Needs(AccessRole.Worker)
            .WithTags("Devices")
            .Produces<DeviceView>(201)
            .WithSummary("The same as /devices/register");
    }

    private static IResult NoDevice(string id) => Results.Problem($"There is no device '{id}'.", statusCode: 404);

    private static IResult Register(
        RegisterDeviceRequest request,
        DeviceRegistry registry,
        TaskEngine tasks,
        TimeProvider time
    )
    {
        if (Complaint(request) is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        var known = registry.Get(request.DeviceId!)
            ?? new DeviceView { DeviceId = request.DeviceId!, State = "offline" };
        var device = known with
        {
            DeviceType = request.DeviceType ?? known.DeviceType,
            DeviceName = request.DeviceName ?? (known.DeviceName.Length > 0 ? known.DeviceName : known.DeviceId),
            Capabilities = request.Capabilities is { ValueKind: JsonValueKind.Array } list
                ? DeviceCapabilities.Read(list)
                : known.Capabilities,
            OsVersion = request.OsVersion ?? known.OsVersion,
            AppVersion = request.AppVersion ?? known.AppVersion,
            Slots = request.Slots ?? known.Slots,
            Resources = request.Resources ?? known.Resources,
            Location = request.Location ?? known.Location,
            Tags = request.Tags ?? known.Tags,
            Weight = request.Weight ?? known.Weight,
            LastSeen = time.GetUtcNow(),
        };
        if (DeviceLimits.Complaint(device) is { } wrong)
            return Results.Problem(wrong, statusCode: 400);
        registry.Put(device);
        tasks.Post(new TaskEvent.DeviceChanged(device.DeviceId));
        return Results.Created($"/api/v1/devices/{device.DeviceId}", device);
    }

    private static IResult Remove(string id, DeviceRegistry registry, DeviceHub hub)
    {
        if (hub.Find(id) is not null)
            return Results.Problem(
                $"'{id}' is connected; it would be back with its next message. Stop it first.",
                statusCode: 409
            );
        return registry.Remove(id) ? Results.NoContent() : NoDevice(id);
    }

    private static string? Complaint(RegisterDeviceRequest request) =>
        request switch
        {
            { DeviceId: var id } when !DeviceRegistry.IsValidId(id) =>
                "'device_id' is required: letters, digits, '-', '_', '.' and ':', at most 128.",
            {
                Capabilities: { ValueKind: not (JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined) }
            } => "'capabilities' must be a list of names or objects.",
            _ => TaskSubmission.Complaint(request.Resources, "resources"),
        };
}
