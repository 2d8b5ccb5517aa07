using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Groups;
using Galaxy.Coordinator.State;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /groups</c>: makes a group or replaces it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record GroupRequest(string? GroupId, string? Name, IReadOnlyList<string>? Devices);

/// <summary>Groups, in both dialects: <c>/api/v1/groups</c> and the original's <c>/groups</c>.</summary>
internal static class GroupApi
{
    private const int MaxDevices = 1000;

    public static void MapGroupApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var root in (string[])["/api/v1/groups", "/groups"])
        {
            var group = endpoints.MapGroup(root).WithTags("Groups");
            group.ExplainStateErrors();
            group
                .MapGet("", (GroupRegistry groups) => Results.Ok(groups.List()))
                .Produces<GroupView[]>()
                .WithSummary("All groups");
            group
                .MapGet("/{id}", (string id, GroupRegistry groups) =>
                    groups.Get(id) is { } one ? Results.Ok(one) : NoGroup(id)
                )
                .Produces<GroupView>()
                .ProducesProblem(404)
                .WithSummary("One group");
            group
                .MapPost("", Put)
                .Produces<GroupView>(201)
                .ProducesProblem(400)
                .WithSummary("Make a group, or replace it")
                .WithDescription(
                    "Devices that are not named are members no longer. Devices are listed in the order of their ids."
                );
            group
                .MapDelete("/{id}", (string id, GroupRegistry groups) =>
                    groups.Remove(id) ? Results.NoContent() : NoGroup(id)
                )
                .Produces(204)
                .ProducesProblem(404)
                .WithSummary("Remove a group; its devices stay");
            group
                .MapPut("/{id}/devices/{device}", Add)
                .Produces<GroupView>()
                .ProducesProblem(404)
                .ProducesProblem(409)
                .WithSummary("Add a device to a group")
                .WithDescription(
                    "Changes of different devices at the same time are all kept, also on different "
                        + $"coordinators. A group has at most {MaxDevices:N0} devices; additions at the same "
                        + "time may pass that by a few."
                );
            group
                .MapDelete("/{id}/devices/{device}", Remove)
                .Produces<GroupView>()
                .ProducesProblem(404)
                .WithSummary("Take a device out of a group");
        }
    }

    private static IResult NoGroup(string id) => Results.Problem($"There is no group '{id}'.", statusCode: 404);

    private static IResult Put(GroupRequest request, GroupRegistry groups)
    {
        if (!DeviceRegistry.IsValidId(request.GroupId))
            return Results.Problem(
                "'group_id' is required: letters, digits, '-', '_', '.' and ':', at most 128.",
                statusCode: 400
            );
        if (request.Name is { Length: > 256 })
            return Results.Problem("'name' may have at most 256 characters.", statusCode: 400);
        if (request.Devices is { Count: > MaxDevices })
            return Results.Problem($"'devices' may name at most {MaxDevices:N0}.", statusCode: 400);
        if (request.Devices?.FirstOrDefault(id => !DeviceRegistry.IsValidId(id)) is { } bad)
            return Results.Problem($"'devices' has '{bad}', which cannot be a device id.", statusCode: 400);
        var group = groups.Put(request.GroupId!, request.Name ?? request.GroupId!, request.Devices ?? []);
        return Results.Created($"/api/v1/groups/{group.GroupId}", group);
    }

    private static IResult Add(string id, string device, GroupRegistry groups)
    {
        if (Refuse(id, device, groups, out var group) is { } problem)
            return problem;
        if (group!.Devices.Count >= MaxDevices && !group.Devices.Contains(device, StringComparer.Ordinal))
            return Results.Problem($"A group may have at most {MaxDevices:N0} devices.", statusCode: 409);
        groups.Add(id, device);
        return Shown(id, groups);
    }

    private static IResult Remove(string id, string device, GroupRegistry groups)
    {
        if (Refuse(id, device, groups, out _) is { } problem)
            return problem;
        groups.Remove(id, device);
        return Shown(id, groups);
    }

    private static IResult? Refuse(string id, string device, GroupRegistry groups, out GroupView? group)
    {
        group = null;
        if (!DeviceRegistry.IsValidId(device))
            return Results.Problem($"'{device}' cannot be a device id.", statusCode: 400);
        return (group = groups.Get(id)) is null ? NoGroup(id) : null;
    }

    private static IResult Shown(string id, GroupRegistry groups) =>
        groups.Get(id) is { } group ? Results.Ok(group) : NoGroup(id);
}
