using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>The answer of <c>/messages</c>, both ways. There is one choice only.</summary>
internal static class MessagesAnswer
{
    public static Answer Read(JsonObject json)
    {
        if (json["content"] is not JsonArray content)
            throw new JsonException("it has no 'content'");
        List<Part> parts = [];
        foreach (var block in content.OfType<JsonObject>())
        {
            switch (ChatAnswer.Text(block["type"]))
            {
                case "text":
                    parts.Add(new TextPart(ChatAnswer.Text(block["text"]) ?? ""));
                    break;
                case "thinking":
                    parts.Add(
                        new ThinkingPart(ChatAnswer.Text(block["thinking"]) ?? "", ChatAnswer.Text(block["signature"]))
                    );
                    break;
                case "tool_use":
                    parts.Add(
                        new ToolCallPart(
                            ChatAnswer.Text(block["id"]) ?? "",
                            ChatAnswer.Text(block["name"]) ?? "",
                            (block["input"] ?? new JsonObject()).ToJsonString(Sse.Json)
                        )
                    );
                    break;
            }
        }
        var choice = new Choice(
            0,
            parts,
            ReadFinish(ChatAnswer.Text(json["stop_reason"])),
            ChatAnswer.Text(json["stop_sequence"])
        );
        return new Answer(
            ChatAnswer.Text(json["id"]) ?? "",
            ChatAnswer.Text(json["model"]) ?? "",
            [choice],
            ReadUsage(json["usage"], null)
        );
    }

    public static Finish ReadFinish(string? reason) =>
        reason switch
        {
            "max_tokens" => Finish.Length,
            "stop_sequence" => Finish.StopSequence,
            "tool_use" => Finish.ToolCalls,
            "refusal" => Finish.ContentFilter,
            "model_context_window_exceeded" => Finish.ContextLength,
            "pause_turn" => Finish.Pause,
            _ => Finish.Stop,
        };

    public static string WriteFinish(Finish finish) =>
        finish switch
        {
            Finish.Length => "max_tokens",
            Finish.StopSequence => "stop_sequence",
            Finish.ToolCalls => "tool_use",
            Finish.ContentFilter => "refusal",
            Finish.ContextLength => "model_context_window_exceeded",
            Finish.Pause => "pause_turn",
            _ => "end_turn",
        };

    /// <param name="before">What an earlier event said; a later one may leave out what has not changed.</param>
    public static Usage ReadUsage(JsonNode? usage, Usage? before)
    {
        if (usage is not JsonObject json)
            return before ?? new Usage(0, 0);
        var read = Number(json, "cache_read_input_tokens") ?? before?.CacheRead ?? 0;
        var written = Number(json, "cache_creation_input_tokens") ?? before?.CacheWrite ?? 0;
        var fresh = Number(json, "input_tokens")
            ?? (before is null ? 0 : before.Input - before.CacheRead - before.CacheWrite);
        return new Usage(
            fresh + read + written,
            Number(json, "output_tokens") ?? before?.Output ?? 0,
            read,
            written,
            ChatAnswer.Int(json["output_tokens_details"].Get("thinking_tokens"))
        );
    }

    private static int? Number(JsonObject json, string name) =>
        json[name] is JsonValue value && value.TryGetValue<double>(out var number) ? (int)number : null;

    public static JsonObject WriteUsage(Usage usage) =>
        new()
        {
            ["input_tokens"] = Math.Max(0, usage.Input - usage.CacheRead - usage.CacheWrite),
            ["output_tokens"] = usage.Output,
            ["cache_creation_input_tokens"] = usage.CacheWrite,
            ["cache_read_input_tokens"] = usage.CacheRead,
        };

    public static JsonObject Write(Answer answer)
    {
        var choice = answer.Choices.Count > 0 ? answer.Choices[0] : new Choice(0, [], Finish.Stop);
        return new JsonObject
        {
            ["id"] = MessageId(answer.Id),
            ["type"] = "message",
            ["role"] = "assistant",
            ["model"] = answer.Model,
            ["content"] = new JsonArray([.. choice.Parts.Select(WriteBlock).OfType<JsonNode>()]),
            ["stop_reason"] = WriteFinish(choice.Finish),
            ["stop_sequence"] = choice.StopSequence,
            ["usage"] = WriteUsage(answer.Usage),
        };
    }

    public static string MessageId(string id) => id.StartsWith("msg", StringComparison.Ordinal) ? id : "msg_" + id;

    private static JsonObject? WriteBlock(Part part) =>
        part switch
        {
            TextPart text => new JsonObject { ["type"] = "text", ["text"] = text.Text },
            RefusalPart refusal => new JsonObject { ["type"] = "text", ["text"] = refusal.Text },
            ThinkingPart thinking => new JsonObject
            {
                ["type"] = "thinking",
                ["thinking"] = thinking.Text,
                ["signature"] = thinking.Signature ?? "",
            },
            ToolCallPart call => new JsonObject
            {
                ["type"] = "tool_use",
                ["id"] = call.Id,
                ["name"] = call.Name,
                ["input"] = Json.ObjectOf(call.Arguments),
            },
            _ => null,
        };
}
