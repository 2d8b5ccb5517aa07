using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Tools;

namespace Galaxy.OneApi.Http;

/// <summary>
/// The first Galaxy's own endpoints: <c>/tools</c>, <c>/tools/weather</c>, <c>/tools/search</c>,
/// <c>/generate_video</c>, <c>/mcp/call</c>.
/// </summary>
internal static class ToolsApi
{
    public static void MapToolsApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/tools", () =>
                Results.Text(
                    new JsonObject { ["tools"] = BuiltInTools.List() }.ToJsonString(Sse.Json),
                    "application/json"
                )
            )
            .WithSummary("The tools of this service");
        endpoints
            .MapMethods("/tools/weather", ["GET", "POST"], (HttpContext context, BuiltInTools tools) =>
                CallAsync(context, tools, "weather")
            )
            .WithSummary("The weather at a place: location");
        endpoints
            .MapMethods("/tools/search", ["GET", "POST"], (HttpContext context, BuiltInTools tools) =>
                CallAsync(context, tools, "search")
            )
            .WithSummary("Search the web: query");
        endpoints
            .MapPost("/generate_video", (HttpContext context, BuiltInTools tools) =>
                CallAsync(context, tools, "generate_video")
            )
            .WithSummary("Make a video: prompt");
        endpoints
            .MapPost("/mcp/call", CallByNameAsync)
            .WithSummary("Call a tool by its name: {\"tool\": \"weather\", \"arguments\": {…}}");
    }

    private static async Task<IResult> CallByNameAsync(HttpContext context, BuiltInTools tools, JsonObject body)
    {
        var name = (body["tool"] ?? body["name"]) as JsonValue;
        if (name?.TryGetValue<string>(out var tool) != true)
            return Results.Problem(
                "'tool' is required, for instance \"weather\".",
                statusCode: 400,
                extensions: new Dictionary<string, object?> { ["field"] = "tool" }
            );
        return await TryAsync(
            tools,
            tool!,
            (body["arguments"] ?? body["params"]) as JsonObject ?? [],
            context.RequestAborted
        );
    }

    private static async Task<IResult> CallAsync(HttpContext context, BuiltInTools tools, string name)
    {
        var arguments = new JsonObject(
            context.Request.Query.Select(pair =>
                KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value.ToString()))
            )
        );
        if (
            context.Request.HasJsonContentType()
            && await context.Request.ReadFromJsonAsync<JsonObject>(context.RequestAborted) is { } body
        )
        {
            foreach (var (key, value) in body)
                arguments[key] = value?.DeepClone();
        }
        return await TryAsync(tools, name, arguments, context.RequestAborted);
    }

    private static async Task<IResult> TryAsync(
        BuiltInTools tools,
        string name,
        JsonObject arguments,
        CancellationToken cancellation
    )
    {
        try
        {
            return Results.Text(
                (await tools.CallAsync(name, arguments, cancellation)).ToJsonString(Sse.Json),
                "application/json"
            );
        }
        catch (ToolException failure)
        {
            return Results.Problem(failure.Message, statusCode: failure.Status);
        }
    }
}
