using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;

namespace Galaxy.Coordinator.Groups;

/// <summary><c>POST /groups</c>: makes a group or replaces it.</summary>
internal sealed record GroupRequest(string? GroupId, string? Name, IReadOnlyList<string>? Devices);

/// <summary>Groups, in both dialects: <c>/api/v1/groups</c> and the original's <c>/groups</c>.</summary>
internal static class GroupApi
{
    private const int MostDevices = 1000;

    public static void MapGroupApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var root in (string[])["/api/v1/groups", "/groups"])
        {
            var group = endpoints.MapGroup(root).WithTags("Groups");
            group.MapGet("", (GroupRegistry groups) => Results.Ok(groups.List())).Produces<GroupView[]>().WithSummary("All groups");
            group.MapGet("/{id}", (string id, GroupRegistry groups) => groups.Get(id) is { } one ? Results.Ok(one) : NoGroup(id)).Produces<GroupView>().ProducesProblem(404).WithSummary("One group");
            group.MapPost("", Put).Produces<GroupView>(201).ProducesProblem(400).WithSummary("Make a group, or replace it");
            group.MapDelete("/{id}", (string id, GroupRegistry groups) => groups.Remove(id) ? Results.NoContent() : NoGroup(id)).Produces(204).ProducesProblem(404).WithSummary("Remove a group; its devices stay");
            group.MapPut("/{id}/devices/{device}", (string id, string device, GroupRegistry groups) => Change(id, device, groups, (devices, one) => [.. devices.Append(one).Distinct(StringComparer.Ordinal)]))
                .Produces<GroupView>().ProducesProblem(404).WithSummary("Add a device to a group");
            group.MapDelete("/{id}/devices/{device}", (string id, string device, GroupRegistry groups) => Change(id, device, groups, (devices, one) => [.. devices.Where(other => other != one)]))
                .Produces<GroupView>().ProducesProblem(404).WithSummary("Take a device out of a group");
        }
    }

    private static IResult NoGroup(string id) => Results.Problem($"There is no group '{id}'.", statusCode: 404);

    private static IResult Put(GroupRequest request, GroupRegistry groups)
    {
        if (!DeviceRegistry.IsValidId(request.GroupId))
            return Results.Problem("'group_id' is required: letters, digits, '-', '_', '.' and ':', at most 128.", statusCode: 400);
        if (request.Name is { Length: > 256 })
            return Results.Problem("'name' may have at most 256 characters.", statusCode: 400);
        if (request.Devices is { Count: > MostDevices })
            return Results.Problem($"'devices' may name at most {MostDevices:N0}.", statusCode: 400);
        if (request.Devices?.FirstOrDefault(id => !DeviceRegistry.IsValidId(id)) is { } bad)
            return Results.Problem($"'devices' has '{bad}', which cannot be a device id.", statusCode: 400);
        var group = new GroupView(request.GroupId!, request.Name ?? request.GroupId!, [.. request.Devices?.Distinct(StringComparer.Ordinal) ?? []]);
        groups.Put(group);
        return Results.Created($"/api/v1/groups/{group.GroupId}", group);
    }

    private static IResult Change(string id, string device, GroupRegistry groups, Func<IReadOnlyList<string>, string, IReadOnlyList<string>> change)
    {
        if (!DeviceRegistry.IsValidId(device))
            return Results.Problem($"'{device}' cannot be a device id.", statusCode: 400);
        if (groups.Get(id) is not { } group)
            return NoGroup(id);
        var changed = group with { Devices = change(group.Devices, device) };
        if (changed.Devices.Count > MostDevices)
            return Results.Problem($"A group may have at most {MostDevices:N0} devices.", statusCode: 409);
        groups.Put(changed);
        return Results.Ok(changed);
    }
}
