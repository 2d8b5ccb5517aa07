using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Responses;

/// <summary>The response object of OpenAI's Responses API and its items.</summary>
internal static class ResponseObject
{
    public static string NewId(string kind) => $"{kind}_{Guid.NewGuid():N}";

    /// <summary>A response that has just begun; what the request said is said again in it, as clients expect.</summary>
    public static JsonObject Begin(string id, long created, string model, Conversation asked, JsonObject request)
    {
        var response = new JsonObject
        {
            ["id"] = id,
            ["object"] = "response",
            ["created_at"] = created,
            ["status"] = "in_progress",
            ["error"] = null,
            ["incomplete_details"] = null,
            ["model"] = model.Length > 0 ? model : asked.Model,
            ["output"] = new JsonArray(),
            ["parallel_tool_calls"] = asked.ParallelTools ?? true,
            ["tool_choice"] = request["tool_choice"]?.DeepClone() ?? "auto",
            ["tools"] = request["tools"]?.DeepClone() ?? new JsonArray(),
            ["temperature"] = asked.Temperature,
            ["top_p"] = asked.TopP,
            ["store"] = request["store"]?.DeepClone() ?? true,
            ["usage"] = null,
        };
        foreach (
            var name in new[]
            {
                "instructions",
                "metadata",
                "max_output_tokens",
                "previous_response_id",
                "reasoning",
                "text",
                "truncation",
                "user",
            }
        )
            response[name] = request[name]?.DeepClone();
        response["text"] ??= new JsonObject { ["format"] = new JsonObject { ["type"] = "text" } };
        response["metadata"] ??= new JsonObject();
        return response;
    }

    public static void Complete(JsonObject response, Finish finish, Usage usage)
    {
        var incomplete = finish switch
        {
            Finish.Length or Finish.ContextLength => "max_output_tokens",
            Finish.ContentFilter => "content_filter",
            _ => null,
        };
        response["status"] = incomplete is null ? "completed" : "incomplete";
        response["incomplete_details"] = incomplete is null ? null : new JsonObject { ["reason"] = incomplete };
        response["usage"] = WriteUsage(usage);
    }

    public static JsonObject WriteUsage(Usage usage) =>
        new()
        {
            ["input_tokens"] = usage.Input,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CacheRead },
            ["output_tokens"] = usage.Output,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = usage.Reasoning },
            ["total_tokens"] = usage.Total,
        };

    public static JsonObject Message(string id, string status, params JsonNode[] content) =>
        new()
        {
            ["id"] = id,
            ["type"] = "message",
            ["status"] = status,
            ["role"] = "assistant",
            ["content"] = new JsonArray(content),
        };

    public static JsonObject Text(string text) =>
        new()
        {
            ["type"] = "output_text",
            ["text"] = text,
            ["annotations"] = new JsonArray(),
            ["logprobs"] = new JsonArray(),
        };

    public static JsonObject Refusal(string text) => new() { ["type"] = "refusal", ["refusal"] = text };

    public static JsonObject Call(string id, string callId, string name, string arguments, string status) =>
        new()
        {
            ["id"] = id,
            ["type"] = "function_call",
            ["status"] = status,
            ["call_id"] = callId,
            ["name"] = name,
            ["arguments"] = arguments,
        };

    public static JsonObject Reasoning(string id, string? summary) =>
        new()
        {
            ["id"] = id,
            ["type"] = "reasoning",
            ["summary"] = summary is null
                ? new JsonArray()
                : new JsonArray(new JsonObject { ["type"] = "summary_text", ["text"] = summary }),
        };
}
