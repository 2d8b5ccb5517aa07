using Galaxy.Core.Routing;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Routing;

/// <summary>Which targets can do this, and which one should: the original's questions.</summary>
internal static class RouteApi
{
    public static void MapRouteApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/nodes", (RouterTable table, string? layer, string? capability) =>
                layer is not null && !RouteTarget.Layers.Contains(layer)
                    ? Results.Problem(
                        $"'layer' is '{layer}'; allowed are {string.Join(", ", RouteTarget.Layers)}.",
                        statusCode: 400
                    )
                    : Results.Ok(
                        table
                            .Current.Table.Targets.Where(target =>
                                (layer is null || target.Layer == layer)
                                && (capability is null || target.Capabilities.Any(one => one.Name == capability))
                            )
                            .Select(target => View(table, target))
                    )
            )
            .WithSummary("Every coordinator, service and device")
            .Produces<TargetView[]>();
        endpoints
            .MapGet("/nodes/{id}", (string id, RouterTable table) =>
                table.Current.Table.ById.TryGetValue(id, out var target)
                    ? Results.Ok(Detail(table, target))
                    : Results.Problem($"There is no node '{id}'.", statusCode: 404)
            )
            .WithSummary("One of them, with what it can do in full")
            .ProducesProblem(404);
        endpoints
            .MapGet("/discover/{capability}", (string capability, RouterTable table) =>
                Results.Ok(table.Current.Table.Offers(capability).Select(offer => View(table, offer.Target)))
            )
            .WithSummary("Everybody who offers a capability, whatever their state")
            .Produces<TargetView[]>();
        endpoints.MapGet("/topology", Topology).WithSummary("The cluster by layers: kernel, gateway, tools, physical");
        // Usually RouteFastPath has answered before: only requests with a wrong key or without a key get here.
        endpoints
            .MapGet(
                "/route/{capability}",
                (RequestDelegate)(
                    context =>
                        AnswerAsync(
                            context,
                            context.RequestServices.GetRequiredService<RouterTable>(),
                            (string)context.Request.RouteValues["capability"]!
                        )
                )
            )
            .WithSummary("The best one to ask now")
            .WithDescription(
                "Query: strategy (least_loaded, round_robin, random, location, adaptive), labels, exclude, "
                    + "key (the same key goes to the same one), location, model, explain=true."
            );
    }

    private static TargetView View(RouterTable table, RouteTarget target) =>
        TargetView.Of(target, table.State(target.Id), table.Now);

    private static object Detail(RouterTable table, RouteTarget target) =>
        new { node = View(table, target), capabilities = target.Capabilities.Select(CapabilityView.Of) };

    private static IResult Topology(RouterTable table, ClusterWatcher watcher)
    {
        var targets = table.Current.Table.Targets;
        var leader = watcher.Current.UsableLeader?.NodeId;
        return Results.Ok(
            new
            {
                leader,
                layers = RouteTarget.Layers.ToDictionary(
                    layer => layer,
                    layer => targets.Where(target => target.Layer == layer).Select(target => View(table, target))
                ),
                // Which node is connected with which: devices and services have their connection with the leader,
                // coordinators with each other.
                links = targets
                    .Where(target => leader is not null && target.Id != leader)
                    .Select(target => new
                    {
                        from = target.Id,
                        to = leader,
                        status = View(table, target).Status,
                    }),
                capabilities = table
                    .Current.Table.Capabilities.Order(StringComparer.Ordinal)
                    .ToDictionary(
                        name => name,
                        name => table.Current.Table.Offers(name).Select(offer => offer.Target.Id)
                    ),
            }
        );
    }

    /// <summary>Answers <c>/route/{capability}</c>.</summary>
    public static Task AnswerAsync(HttpContext context, RouterTable table, string capability)
    {
        if (QueryReader.Read(capability, context.Request, out var query) is { } complaint)
            return Results.Problem(complaint, statusCode: 400).ExecuteAsync(context);
        if (context.Request.QueryString.HasValue)
        {
            if (QueryReader.ReadFlag(context.Request.Query, "explain", out var explain) is { } wrong)
                return Results.Problem(wrong, statusCode: 400).ExecuteAsync(context);
            if (explain == true)
                return Results
                    .Ok(ExplanationView.Of(RouteExplanation.Of(table.Current.Table, query, Random.Shared, table.Now)))
                    .ExecuteAsync(context);
        }
        var current = table.Current;
        if (current.Table.Choose(query, Random.Shared, table.Now).Target is not { } target)
            return Results.Problem(Nobody(current.Table, query, table.Now), statusCode: 404).ExecuteAsync(context);
        var json = current.Json(target);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, 0, json.Length);
    }

    /// <summary>Why no target was chosen, in a sentence.</summary>
    public static string Nobody(RoutingTable table, in RouteQuery query, TimeSpan now)
    {
        var excluded = RouteExplanation.Of(table, query, Random.Shared, now).Excluded;
        return excluded.Count == 0
            ? $"Nobody offers '{query.Capability}'. GET /tools tells what is offered."
            : $"Nobody who offers '{query.Capability}' can take it now: {string.Join("; ", excluded.Take(5).Select(one => $"{one.Id}: {one.Reason}"))}{(excluded.Count > 5 ? $"; and {excluded.Count - 5} more" : "")}.";
    }
}

/// <summary>What a target offers, in full.</summary>
internal sealed record CapabilityView(
    string Name,
    string Version,
    int Priority,
    string? Description,
    System.Text.Json.JsonElement? Parameters,
    string? Method,
    string? Path,
    bool? Idempotent
)
{
    public static CapabilityView Of(RouteCapability offer) =>
        new(
            offer.Name,
            offer.Version,
            offer.Priority,
            offer.Description,
            Catalog.ToolSchema.Parse(offer.Parameters),
            offer.Method,
            offer.Path,
            offer.IsIdempotent ? true : null
        );
}

/// <summary>A decision with its reasons, as the API shows it.</summary>
internal sealed record ExplanationView(
    string Capability,
    string Strategy,
    string? Rule,
    TargetView? Chosen,
    IReadOnlyList<ExplainedCandidate> Candidates,
    IReadOnlyList<ExplainedExclusion> Excluded
)
{
    public static ExplanationView Of(RouteExplanation why) =>
        new(
            why.Capability,
            why.Strategy,
            why.Rule,
            why.Chosen is { } target ? TargetView.Of(target) : null,
            why.Candidates,
            why.Excluded
        );
}
