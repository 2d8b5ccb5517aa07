using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>Reads the body of <c>POST /v1/messages</c>.</summary>
internal static class MessagesRequest
{
    /// <param name="needsMaxTokens">Counting tokens does not.</param>
    public static Conversation Read(JsonObject request, bool needsMaxTokens = true)
    {
        var fields = new Fields(request, "");
        var model = fields.RequiredText("model");
        var reader = new BlockReader();
        var messages = fields.Objects("messages").Select(reader.ReadMessage).ToList();
        if (messages.Count == 0)
            throw fields.Has("messages")
                ? fields.Wrong("messages", "a list with at least one message")
                : fields.Missing("messages");
        if (reader.ReadContent(fields, "system") is { Count: > 0 } system)
            messages.Insert(0, new Message(Speaker.System, system));
        var tools = fields.Objects("tools").Select(reader.ReadTool).OfType<ToolSpec>().ToList();
        var thinking = fields.Object("thinking");
        var config = fields.Object("output_config");
        var choice = fields.Object("tool_choice");
        var user = fields.Object("metadata")?.Text("user_id");
        var read = new Conversation
        {
            Model = model,
            Messages = Turns.Join(messages),
            Tools = tools,
            ToolChoice = ReadChoice(choice),
            ParallelTools = choice?.Flag("disable_parallel_tool_use") is { } disabled ? !disabled : null,
            MaxTokens = fields.Int("max_tokens", 1) ?? (needsMaxTokens ? throw fields.Missing("max_tokens") : null),
            Temperature = fields.Number("temperature", 0, 1),
            TopP = fields.Number("top_p", 0, 1),
            TopK = fields.Int("top_k"),
            Stop = fields.Texts("stop_sequences"),
            Format = config?.Object("format") is { } format ? ReadFormat(format) : null,
            Effort = config?.Text("effort"),
            ThinkingBudget = ReadThinking(thinking),
            User = user,
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = true,
        };
        fields.Hints("drop_params");
        return read with
        {
            Hints =
            [
                .. reader.Hints,
                .. fields.Hints("cache_control", "service_tier", "diagnostics", "speed"),
                .. thinking?.Rest ?? [],
            ],
            Unknown = [.. reader.Unknown, .. config?.Rest ?? [], .. fields.Rest],
        };
    }

    private static int? ReadThinking(Fields? thinking) =>
        thinking?.RequiredText("type") switch
        {
            null or "adaptive" or "between_tools" => null,
            "disabled" => 0,
            "enabled" => thinking.Int("budget_tokens", 1) ?? throw thinking.Missing("budget_tokens"),
            var other => throw thinking.Wrong("type", $"enabled, adaptive or disabled, not '{other}'"),
        };

    private static ToolChoice? ReadChoice(Fields? choice) =>
        choice?.RequiredText("type") switch
        {
            null => null,
            "auto" => new ToolChoice(ToolUse.Auto),
            "any" => new ToolChoice(ToolUse.Required),
            "none" => new ToolChoice(ToolUse.None),
            "tool" => new ToolChoice(ToolUse.Named, choice.RequiredText("name")),
            _ => throw choice.Wrong("type", "auto, any, tool or none"),
        };

    private static OutputFormat ReadFormat(Fields format) =>
        format.RequiredText("type") == "json_schema"
            ? new OutputFormat("answer", format.Json("schema") ?? throw format.Missing("schema"), true)
            : throw format.Wrong("type", "json_schema");
}
