using System.Text.Json.Nodes;
using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;
using Grpc.Core;

namespace Galaxy.Router.Registration;

/// <summary><c>POST /register</c>. Capabilities may be names or objects with a name.</summary>
internal sealed record RegisterRequest(string? NodeId, string? Name, string? Url, string? Layer, JsonArray? Capabilities, double? Load, double? TtlSeconds);

/// <summary>Registration of services that are not part of Galaxy. It goes into the cluster's registry, so every router knows it.</summary>
internal static class RegistrationApi
{
    private static readonly string[] Layers = ["kernel", "gateway", "tools", "physical"];

    public static void MapRegistrationApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/register", RegisterAsync).WithSummary("Register a service, or renew its registration");

    private static async Task<IResult> RegisterAsync(RegisterRequest request, ClusterWatcher watcher, CoordinatorChannels channels, TimeProvider time)
    {
        if (Complaint(request) is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        var view = watcher.Current;
        if ((view.Reachable.FirstOrDefault(n => n.Boot == view.UsableLeader?.Boot) ?? view.Reachable.FirstOrDefault()) is not { } coordinator)
            return Results.Problem("No coordinator can be reached. Try again shortly.", statusCode: 503);
        var ttl = request.TtlSeconds ?? 90;
        var service = new Service
        {
            Id = request.NodeId,
            Kind = "external",
            Url = request.Url,
            Layer = request.Layer ?? "tools",
            Load = request.Load ?? 0,
            TtlMs = (long)(ttl * 1000),
        };
        service.Capabilities.AddRange(request.Capabilities?.Select(Name).Where(name => name.Length > 0).Take(100)
            .Select(name => new Capability { Name = name, Version = "1", Priority = 5 }) ?? []);
        try
        {
            await channels.Cluster(coordinator.GrpcUrl).AnnounceAsync(service, deadline: time.GetUtcNow().UtcDateTime.AddSeconds(2));
        }
        catch (RpcException failure)
        {
            return Results.Problem($"The coordinator did not take the registration: {failure.Status.Detail}", statusCode: 502);
        }
        return Results.Ok(new { status = "registered", node_id = request.NodeId, ttl_seconds = ttl });
    }

    private static string Name(JsonNode? node) => (node is JsonObject map ? map["name"] : node)?.ToString() ?? "";

    private static string? Complaint(RegisterRequest request) => request switch
    {
        { NodeId: null or "" or { Length: > 128 } } => "'node_id' is required, 1 to 128 characters.",
        { Url: var url } when !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") => $"'url' is '{url}', which is not an http address.",
        { Layer: { } layer } when !Layers.Contains(layer) => $"'layer' is '{layer}'; allowed are {string.Join(", ", Layers)}.",
        { Load: < 0 or > 1 } => "'load' must be 0 to 1.",
        { TtlSeconds: < 1 or > 3600 } => "'ttl_seconds' must be 1 to 3,600.",
        _ => null,
    };
}
