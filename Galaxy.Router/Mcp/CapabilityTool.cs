using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Router.Catalog;
using Galaxy.Router.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Galaxy.Router.Mcp;

/// <summary>A tool of the cluster in the words of the Model Context Protocol.</summary>
internal sealed class CapabilityTool(Galaxy.Router.Catalog.Tool tool, ToolRunner runner) : McpServerTool
{
    public Galaxy.Router.Catalog.Tool Tool => tool;

    public override ModelContextProtocol.Protocol.Tool ProtocolTool { get; } =
        new()
        {
            Name = tool.Name,
            Title = tool.Capability,
            Description = tool.Description,
            InputSchema = tool.InputSchema,
            Annotations = new ToolAnnotations { ReadOnlyHint = tool.IsReadOnly, IdempotentHint = tool.IsIdempotent },
        };

    public override IReadOnlyList<object> Metadata => [];

    /// <summary>
    /// Calls it; progress goes to the client that asked for it, and a client that cancels cancels the task.
    /// </summary>
    public override async ValueTask<CallToolResult> InvokeAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken = default
    )
    {
        var arguments = new JsonObject(
            (request.Params?.Arguments ?? new Dictionary<string, JsonElement>()).Select(pair =>
                KeyValuePair.Create(pair.Key, JsonSerializer.SerializeToNode(pair.Value))
            )
        );
        Func<double, Task>? progress = request.Params?.ProgressToken is { } token
            ? value =>
                request.Server.NotifyProgressAsync(
                    token,
                    new ProgressNotificationValue { Progress = (float)value, Total = 1 },
                    cancellationToken: cancellationToken
                )
            : null;
        var result = await runner.RunAsync(
            tool,
            arguments,
            target: null,
            ToolRunner.DefaultTimeout,
            progress,
            cancellationToken
        );
        return new CallToolResult
        {
            IsError = !result.Success,
            Content =
            [
                new TextContentBlock { Text = result.Success ? Text(result.Result) : result.Error ?? "It failed." },
            ],
            StructuredContent = result.Result is JsonObject map ? JsonSerializer.SerializeToElement(map) : null,
        };
    }

    private static string Text(JsonNode? result) =>
        result is JsonValue value && value.TryGetValue<string>(out var text) ? text : result?.ToJsonString() ?? "null";
}
