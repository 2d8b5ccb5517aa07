using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Routing;

internal static class RouterApi
{
    private static long _turn;

    public static void MapRouterApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/nodes", (ClusterWatcher watcher) => Results.Ok(RouteTable.Read(watcher.Current))).WithSummary("Every node, service and device");
        endpoints.MapGet("/nodes/{id}", (string id, ClusterWatcher watcher) =>
            RouteTable.Read(watcher.Current).FirstOrDefault(target => target.Id == id) is { } target
                ? Results.Ok(target)
                : Results.Problem($"There is no node '{id}'.", statusCode: 404));
        endpoints.MapGet("/discover/{capability}", (string capability, ClusterWatcher watcher) =>
                Results.Ok(RouteTable.Read(watcher.Current).Where(target => target.Capabilities.Contains(capability))))
            .WithSummary("Everybody who offers a capability, whatever their state");
        endpoints.MapGet("/route/{capability}", Route).WithSummary("The best one to ask now");
    }

    private static IResult Route(string capability, ClusterWatcher watcher, string? strategy, string? exclude, bool? explain)
    {
        strategy ??= "least_loaded";
        if (!RouteChoice.Strategies.Contains(strategy))
            return Results.Problem($"'strategy' is '{strategy}'; allowed are {string.Join(", ", RouteChoice.Strategies)}.", statusCode: 400);
        var left = exclude?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal) ?? [];
        var decision = RouteChoice.Choose(RouteTable.Read(watcher.Current), capability, strategy, left, Random.Shared, Interlocked.Increment(ref _turn));
        if (decision.Chosen is null && explain != true)
            return Results.Problem($"Nobody who is healthy offers '{capability}'.", statusCode: 404);
        return explain == true
            ? Results.Ok(new { capability, strategy, decision.Chosen, decision.Candidates, decision.Excluded })
            : Results.Ok(decision.Chosen);
    }
}
