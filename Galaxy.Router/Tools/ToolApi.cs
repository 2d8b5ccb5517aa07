using System.Text.Json.Nodes;
using Galaxy.Router.Catalog;
using Galaxy.Router.Routing;

namespace Galaxy.Router.Tools;

/// <summary>
/// <c>POST /tools/invoke</c>, <c>/tools/execute</c> and <c>/mcp/call</c>: the names that the original's clients use for
/// the same.
/// </summary>
internal sealed record ToolCallRequest
{
    public string? Tool { get; init; }
    public string? Name { get; init; }
    public string? ToolName { get; init; }
    public string? Capability { get; init; }
    public JsonNode? Arguments { get; init; }
    public JsonNode? Params { get; init; }
    public JsonNode? Parameters { get; init; }

    /// <summary>The target that is to do it; null: the best one.</summary>
    public string? NodeId { get; init; }
    public string? Target { get; init; }

    /// <summary>Seconds; 300 by default.</summary>
    public double? Timeout { get; init; }
}

/// <summary><c>POST /tools/discover</c>: all fields are optional.</summary>
internal sealed record ToolQuery(string? Query, string? NodeId, int? Limit);

/// <summary>The cluster's capabilities as tools, by plain HTTP. Agents that speak MCP use <c>/mcp</c>.</summary>
internal static class ToolApi
{
    private const double LongestTimeout = 3600;

    public static void MapToolApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/tools", (RouterTable table) => Results.Ok(new { tools = table.Current.Tools.Select(View) }))
            .WithSummary("Everything that the cluster can do, as tools with schemas");
        endpoints
            .MapPost("/tools/discover", Discover)
            .WithSummary("Tools whose name or description has all of these words");
        foreach (var path in (string[])["/tools/invoke", "/tools/execute", "/mcp/call"])
            endpoints
                .MapPost(path, CallAsync)
                .WithSummary("Call a tool and wait for its result")
                .ProducesProblem(400)
                .ProducesProblem(404);
    }

    private static object View(Tool tool) =>
        new
        {
            tool.Name,
            tool.Capability,
            tool.Description,
            input_schema = tool.InputSchema,
            nodes = tool.Targets,
        };

    private static IResult Discover(ToolQuery request, RouterTable table)
    {
        if (request.Limit is < 1 or > 1000)
            return Results.Problem("'limit' must be 1 to 1,000.", statusCode: 400);
        if (request.Query is { Length: > 1000 })
            return Results.Problem("'query' may have at most 1,000 characters.", statusCode: 400);
        var words = (request.Query ?? "").Split(
            ' ',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
        );
        var tools = table.Current.Tools.Where(tool =>
            (request.NodeId is null || tool.Targets.Contains(request.NodeId))
            && words.All(word =>
                tool.Capability.Contains(word, StringComparison.OrdinalIgnoreCase)
                || tool.Description.Contains(word, StringComparison.OrdinalIgnoreCase)
            )
        );
        return Results.Ok(new { tools = tools.Take(request.Limit ?? 100).Select(View) });
    }

    private static async Task<IResult> CallAsync(
        ToolCallRequest request,
        ToolRunner runner,
        CancellationToken cancellation
    )
    {
        if ((request.Tool ?? request.Name ?? request.ToolName ?? request.Capability) is not { Length: > 0 } name)
            return Results.Problem("'tool' is required: its name as GET /tools tells it.", statusCode: 400);
        if ((request.Arguments ?? request.Params ?? request.Parameters) is { } given and not JsonObject)
            return Results.Problem(
                $"'arguments' must be an object, not {given.GetValueKind().ToString().ToLowerInvariant()}.",
                statusCode: 400
            );
        if (request.Timeout is { } seconds && seconds is not (> 0 and <= LongestTimeout))
            return Results.Problem(
                $"'timeout' must be seconds, more than 0 and at most {LongestTimeout:N0}.",
                statusCode: 400
            );
        if (runner.Find(name) is not { } tool)
            return Results.Problem($"There is no tool '{name}'. GET /tools tells which there are.", statusCode: 404);
        var timeout = request.Timeout is { } asked ? TimeSpan.FromSeconds(asked) : ToolRunner.DefaultTimeout;
        return Results.Ok(
            await runner.RunAsync(
                tool,
                (request.Arguments ?? request.Params ?? request.Parameters) as JsonObject,
                request.NodeId ?? request.Target,
                timeout,
                progress: null,
                cancellation
            )
        );
    }
}
