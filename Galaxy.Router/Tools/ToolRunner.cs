using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Core.Routing;
using Galaxy.Router.Catalog;
using Galaxy.Router.Invocation;
using Galaxy.Router.Routing;

namespace Galaxy.Router.Tools;

/// <summary>The result of a call of a tool.</summary>
/// <param name="Result">JSON, or a text; null when it failed.</param>
internal sealed record ToolResult(
    bool Success,
    string Tool,
    string? NodeId,
    JsonNode? Result,
    string? Error,
    string? TaskId
);

/// <summary>Calls a tool and reads the whole answer, for callers that cannot read a stream. Thread-safe.</summary>
internal sealed class ToolRunner(RouterTable table, Invoker invoker)
{
    private const int MostBytes = 4 * 1024 * 1024;
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(300);

    /// <summary>Null: there is none of that name or capability.</summary>
    public Tool? Find(string name)
    {
        var tools = table.Current.Tools;
        return tools.FirstOrDefault(tool => tool.Name == name) ?? tools.FirstOrDefault(tool => tool.Capability == name);
    }

    /// <param name="target">The target that is to do it; null: the best one.</param>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<ToolResult> RunAsync(
        Tool tool,
        JsonObject? arguments,
        string? target,
        TimeSpan timeout,
        Func<double, Task>? progress,
        CancellationToken cancellation
    )
    {
        arguments = arguments?.DeepClone() as JsonObject ?? [];
        if (
            tool.Targets.Count > 1
            && arguments[ToolSchema.Target] is JsonValue chosen
            && chosen.TryGetValue<string>(out var named)
        )
        {
            arguments.Remove(ToolSchema.Target);
            target ??= named;
        }
        var query = new RouteQuery(tool.Capability) { Caller = "mcp" };
        if (target is not null)
        {
            if (!tool.Targets.Contains(target))
                return new ToolResult(
                    false,
                    tool.Name,
                    null,
                    null,
                    $"'{target}' does not offer {tool.Capability}; {string.Join(", ", tool.Targets.Take(20))} do.",
                    null
                );
            query = query with { Only = target };
        }
        var body = RequestBody.Json(Encoding.UTF8.GetBytes(arguments.ToJsonString()));
        var outcome = await invoker.InvokeAsync(
            new InvokeRequest(query, body, timeout, IsSafe: false, Hedge: true) { Progress = progress },
            cancellation
        );
        return outcome switch
        {
            DeviceAnswered { Task: { State: TaskState.Completed } task } => new ToolResult(
                true,
                tool.Name,
                task.DeviceId,
                Node(task.Result),
                null,
                task.TaskId
            ),
            DeviceAnswered { Task: var task } => new ToolResult(
                false,
                tool.Name,
                task.DeviceId,
                null,
                task.Error ?? $"The task is {task.State}.",
                task.TaskId
            ),
            ServiceAnswered answered => await ReadAsync(tool, answered.Id, answered.Response, timeout, cancellation),
            InvokeFailed { Response: { } response } failed => await ReadAsync(
                tool,
                failed.TargetId,
                response,
                timeout,
                cancellation
            ),
            InvokeFailed failed => new ToolResult(false, tool.Name, failed.TargetId, null, failed.Detail, null),
            _ => throw new InvalidOperationException(),
        };
    }

    private static async Task<ToolResult> ReadAsync(
        Tool tool,
        string? id,
        HttpResponseMessage response,
        TimeSpan timeout,
        CancellationToken cancellation
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        using (response)
        {
            try
            {
                await response.Content.LoadIntoBufferAsync(MostBytes, patience.Token);
                var text = await response.Content.ReadAsStringAsync(patience.Token);
                var result = Parse(text);
                return response.IsSuccessStatusCode
                    ? new ToolResult(true, tool.Name, id, result, null, null)
                    : new ToolResult(
                        false,
                        tool.Name,
                        id,
                        null,
                        $"{id} answered {(int)response.StatusCode}: {(result as JsonObject)?["detail"]?.ToString() ?? text[..Math.Min(text.Length, 2000)]}",
                        null
                    );
            }
            catch (Exception failure)
                when (failure is HttpRequestException or IOException or InvalidOperationException
                    || (failure is OperationCanceledException && !cancellation.IsCancellationRequested)
                )
            {
                return new ToolResult(
                    false,
                    tool.Name,
                    id,
                    null,
                    $"The answer of {id} could not be read to its end: {failure.Message}",
                    null
                );
            }
        }
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static JsonNode? Node(JsonElement? element) =>
        element is { } value ? JsonSerializer.SerializeToNode(value) : null;
}
