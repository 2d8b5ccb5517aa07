using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>Writes the body of <c>POST /messages</c>.</summary>
internal static class MessagesWriter
{
    /// <summary>The dialect demands a bound; this one stands in for clients that set none.</summary>
    public const int DefaultMaxTokens = 4096;

    public static JsonObject Write(Conversation asked, string model, Losses losses)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["max_tokens"] = asked.MaxTokens ?? DefaultMaxTokens + (asked.ThinkingBudget ?? 0),
        };
        // Its system prompt stands before everything else, wherever the client's messages had it.
        if (Turns.SystemOf(asked.Messages) is { Length: > 0 } system)
            body["system"] = system;
        var turns = Turns.Join(asked.Messages.Where(message => message.Speaker != Speaker.System));
        body["messages"] = new JsonArray([.. turns.Select(turn => WriteMessage(turn, losses))]);
        if (asked.Tools.Count > 0)
            body["tools"] = new JsonArray([.. asked.Tools.Select(WriteTool)]);
        WriteChoice(asked, body);
        losses.AddIf(asked.Temperature > 1, "temperature (over 1)");
        Set(body, "temperature", asked.Temperature > 1 ? 1 : asked.Temperature);
        Set(body, "top_p", asked.TopP);
        Set(body, "top_k", asked.TopK);
        losses.AddIf(asked.FrequencyPenalty is not (null or 0), "frequency_penalty");
        losses.AddIf(asked.PresencePenalty is not (null or 0), "presence_penalty");
        losses.AddIf(asked.Seed is not null, "seed");
        losses.AddIf(asked.Count > 1, "n");
        if (asked.Stop.Count > 0)
            body["stop_sequences"] = new JsonArray([.. asked.Stop.Select(stop => JsonValue.Create(stop))]);
        WriteOutput(asked, body, losses);
        if (asked.ThinkingBudget is { } budget)
            body["thinking"] =
                budget == 0
                    ? new JsonObject { ["type"] = "disabled" }
                    : new JsonObject { ["type"] = "enabled", ["budget_tokens"] = budget };
        if (asked.User is not null)
            body["metadata"] = new JsonObject { ["user_id"] = asked.User };
        if (asked.Stream)
            body["stream"] = true;
        return body;
    }

    private static void Set<T>(JsonObject body, string name, T? value)
    {
        if (value is not null)
            body[name] = JsonValue.Create(value);
    }

    private static void WriteChoice(Conversation asked, JsonObject body)
    {
        var choice = asked.ToolChoice switch
        {
            { Use: ToolUse.Named } named => new JsonObject { ["type"] = "tool", ["name"] = named.Name },
            { Use: ToolUse.Required } => new JsonObject { ["type"] = "any" },
            { Use: ToolUse.None } => new JsonObject { ["type"] = "none" },
            { Use: ToolUse.Auto } => new JsonObject { ["type"] = "auto" },
            _ => asked.ParallelTools is not null && asked.Tools.Count > 0 ? new JsonObject { ["type"] = "auto" } : null,
        };
        if (choice is null)
            return;
        if (asked.ParallelTools is { } parallel && asked.ToolChoice?.Use != ToolUse.None)
            choice["disable_parallel_tool_use"] = !parallel;
        body["tool_choice"] = choice;
    }

    private static void WriteOutput(Conversation asked, JsonObject body, Losses losses)
    {
        var config = new JsonObject();
        if (asked.Format is { Schema: not null } format)
            config["format"] = new JsonObject { ["type"] = "json_schema", ["schema"] = format.Schema.DeepClone() };
        losses.AddIf(asked.Format is { Schema: null }, "response_format (json_object: a schema is needed)");
        switch (asked.Effort)
        {
            case null:
                break;
            case "minimal":
                config["effort"] = "low";
                break;
            case "none":
                body["thinking"] = new JsonObject { ["type"] = "disabled" };
                break;
            default:
                config["effort"] = asked.Effort;
                break;
        }
        if (config.Count > 0)
            body["output_config"] = config;
    }

    private static JsonObject WriteTool(ToolSpec tool)
    {
        var json = new JsonObject { ["name"] = tool.Name };
        Set(json, "description", tool.Description);
        json["input_schema"] = tool.Schema?.DeepClone() ?? new JsonObject { ["type"] = "object" };
        // False is what it does by itself.
        if (tool.Strict == true)
            json["strict"] = true;
        return json;
    }

    private static JsonObject WriteMessage(Message message, Losses losses)
    {
        var isAssistant = message.Speaker == Speaker.Assistant;
        // It refuses results of tools that come after other content, and empty text.
        var parts = message
            .Parts.OrderBy(part => part is ToolResultPart ? 0 : 1)
            .Where(part => part is not TextPart { Text.Length: 0 })
            .ToList();
        JsonNode content = parts is [TextPart only]
            ? JsonValue.Create(only.Text)
            : new JsonArray([.. parts.Select(part => WriteBlock(part, losses)).OfType<JsonNode>()]);
        return new JsonObject { ["role"] = isAssistant ? "assistant" : "user", ["content"] = content };
    }

    private static JsonObject? WriteBlock(Part part, Losses losses)
    {
        switch (part)
        {
            case TextPart text:
                return new JsonObject { ["type"] = "text", ["text"] = text.Text };
            case RefusalPart refusal:
                return new JsonObject { ["type"] = "text", ["text"] = refusal.Text };
            case ImagePart image:
                return new JsonObject
                {
                    ["type"] = "image",
                    ["source"] = Source(image.Url, image.MediaType, image.Base64),
                };
            case FilePart file:
                var document = new JsonObject
                {
                    ["type"] = "document",
                    ["source"] = Source(file.Url, file.MediaType, file.Base64),
                };
                Set(document, "title", file.Name);
                return document;
            case ToolCallPart call:
                return new JsonObject
                {
                    ["type"] = "tool_use",
                    ["id"] = call.Id,
                    ["name"] = call.Name,
                    ["input"] = Json.ObjectOf(call.Arguments),
                };
            case ToolResultPart result:
                var block = new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = result.Id };
                block["content"] = result.Content is [TextPart only]
                    ? only.Text
                    : new JsonArray([.. result.Content.Select(inner => WriteBlock(inner, losses)).OfType<JsonNode>()]);
                if (result.IsError)
                    block["is_error"] = true;
                return block;
            case ThinkingPart { Signature: not null } thinking:
                return new JsonObject
                {
                    ["type"] = "thinking",
                    ["thinking"] = thinking.Text,
                    ["signature"] = thinking.Signature,
                };
            case ThinkingPart:
                losses.Hint("thinking");
                return null;
            default:
                losses.Add("messages.content (input_audio)");
                return null;
        }
    }

    private static JsonObject Source(string? url, string? type, string? base64) =>
        base64 is null
            ? new JsonObject { ["type"] = "url", ["url"] = url }
            : new JsonObject
            {
                ["type"] = "base64",
                ["media_type"] = type,
                ["data"] = base64,
            };
}
