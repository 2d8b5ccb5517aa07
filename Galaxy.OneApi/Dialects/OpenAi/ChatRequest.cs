using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatRequest
{
    public static Conversation Read(JsonObject request)
    {
        var fields = new Fields(request, "");
        var messages = fields.Objects("messages").Select(ReadMessage).ToList();
        if (messages.Count == 0)
            throw fields.Has("messages")
                ? fields.Wrong("messages", "a list with at least one message")
                : fields.Missing("messages");
        var unknown = messages.SelectMany(message => message.Unknown).ToList();
        var hints = new List<string>(messages.SelectMany(message => message.Hints));
        var tools = fields.Objects("tools").Select(tool => ReadTool(tool, unknown)).OfType<ToolSpec>().ToList();
        var options = fields.Object("stream_options");
        var includeUsage = options?.Flag("include_usage") ?? false;
        hints.AddRange(options?.Rest ?? []);
        if (fields.List("modalities") is { } modalities && modalities.Any(modality => modality?.ToString() != "text"))
            unknown.Add("modalities");
        if (fields.Flag("logprobs") == true)
            unknown.Add("logprobs");
        hints.AddRange(
            fields.Hints(
                "metadata",
                "store",
                "service_tier",
                "prompt_cache_key",
                "prompt_cache_retention",
                "prompt_cache_options",
                "prediction"
            )
        );
        fields.Hints("drop_params");
        var user = fields.Text("user");
        return new Conversation
        {
            Model = fields.RequiredText("model"),
            Messages = Turns.Join(messages.Select(message => message.Message)),
            Tools = tools,
            ToolChoice = ReadChoice(fields, "tool_choice"),
            ParallelTools = fields.Flag("parallel_tool_calls"),
            MaxTokens = fields.Int("max_completion_tokens", 1) is { } most
                ? Take(fields, "max_tokens", most)
                : fields.Int("max_tokens", 1),
            Temperature = fields.Number("temperature", 0, 2),
            TopP = fields.Number("top_p", 0, 1),
            TopK = fields.Int("top_k"),
            FrequencyPenalty = fields.Number("frequency_penalty", -2, 2),
            PresencePenalty = fields.Number("presence_penalty", -2, 2),
            Stop = fields.Texts("stop"),
            Seed = fields.Integer("seed"),
            Count = fields.Int("n", 1, 128),
            Format = ReadFormat(fields.Object("response_format")),
            Effort = fields.Text("reasoning_effort"),
            User = user ?? fields.Text("safety_identifier"),
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = includeUsage,
            Hints = hints,
            Unknown = [.. unknown, .. fields.Rest],
        };
    }

    // Both are allowed; the newer one counts.
    private static int Take(Fields fields, string name, int value)
    {
        fields.Int(name, 1);
        return value;
    }

    private sealed record Said(Message Message, List<string> Unknown, List<string> Hints);

    private static Said ReadMessage(Fields message)
    {
        var role = message.RequiredText("role");
        List<string> unknown = [],
            hints = [.. message.Hints("name")];
        var parts = new List<Part>();
        Speaker speaker;
        switch (role)
        {
            case "system" or "developer":
                speaker = Speaker.System;
                parts.AddRange(ReadContent(message, unknown));
                break;
            case "user":
                speaker = Speaker.User;
                parts.AddRange(ReadContent(message, unknown));
                break;
            case "assistant":
                speaker = Speaker.Assistant;
                if (message.Text("reasoning_content") is { Length: > 0 } thought)
                    parts.Add(new ThinkingPart(thought, null));
                if (message.Has("content") || !message.Has("tool_calls"))
                    parts.AddRange(message.Has("refusal") || message.Has("audio") ? [] : ReadContent(message, unknown));
                if (message.Text("refusal") is { Length: > 0 } refusal)
                    parts.Add(new RefusalPart(refusal));
                parts.AddRange(message.Objects("tool_calls").Select(call => ReadCall(call, unknown)));
                hints.AddRange(message.Hints("annotations", "citations", "reasoning"));
                break;
            case "tool":
                speaker = Speaker.User;
                parts.Add(
                    new ToolResultPart(
                        message.RequiredText("tool_call_id"),
                        [.. ReadContent(message, unknown)],
                        IsError: false
                    )
                );
                break;
            default:
                throw message.Wrong("role", $"system, developer, user, assistant or tool, not '{role}'");
        }
        message.Hints("content");
        return new Said(new Message(speaker, parts), [.. unknown, .. message.Rest], hints);
    }

    private static IEnumerable<Part> ReadContent(Fields message, List<string> unknown)
    {
        switch (message.Any("content"))
        {
            case null:
                throw message.Missing("content");
            case JsonValue value when value.TryGetValue<string>(out var text):
                return [new TextPart(text)];
            case JsonArray:
                return [.. message.Objects("content").Select(part => ReadPart(part, unknown)).OfType<Part>()];
            default:
                throw message.Wrong("content", "a string or a list of parts");
        }
    }

    private static Part? ReadPart(Fields part, List<string> unknown)
    {
        Part? read;
        switch (part.RequiredText("type"))
        {
            case "text":
                read = new TextPart(part.RequiredText("text"));
                break;
            case "refusal":
                read = new RefusalPart(part.RequiredText("refusal"));
                break;
            case "image_url":
                var image = part.Object("image_url") ?? throw part.Missing("image_url");
                read = ImagePart.Of(image.RequiredText("url"), image.Text("detail"));
                break;
            case "input_audio":
                var audio = part.Object("input_audio") ?? throw part.Missing("input_audio");
                read = new AudioPart(audio.RequiredText("format"), audio.RequiredText("data"));
                break;
            case "file":
                var file = part.Object("file") ?? throw part.Missing("file");
                if (file.Text("file_data") is not { } data)
                {
                    unknown.Add(file.PathOf("file_id"));
                    return null;
                }
                read = DataUrl.TryRead(data, out var type, out var base64)
                    ? new FilePart(null, type, base64, file.Text("filename"))
                    : throw file.Wrong("file_data", "a data: address with base64 content");
                break;
            case var other:
                unknown.Add($"{part.PathOf("type")} '{other}'");
                return null;
        }
        unknown.AddRange(part.Rest);
        return read;
    }

    private static ToolCallPart ReadCall(Fields call, List<string> unknown)
    {
        if (call.Text("type") is { } type and not "function")
            unknown.Add($"{call.PathOf("type")} '{type}'");
        var function = call.Object("function") ?? throw call.Missing("function");
        var extra = call.Object("extra_content")?.Object("google")?.Text("thought_signature");
        return new ToolCallPart(
            call.RequiredText("id"),
            function.RequiredText("name"),
            function.Text("arguments") is { Length: > 0 } text ? text : "{}"
        )
        {
            Signature = extra,
        };
    }

    private static ToolSpec? ReadTool(Fields tool, List<string> unknown)
    {
        if (tool.RequiredText("type") is var type && type != "function")
        {
            unknown.Add($"{tool.PathOf("type")} '{type}'");
            return null;
        }
        var function = tool.Object("function") ?? throw tool.Missing("function");
        var read = new ToolSpec(
            function.RequiredText("name"),
            function.Text("description"),
            function.Json("parameters"),
            function.Flag("strict")
        );
        unknown.AddRange(function.Rest);
        return read;
    }

    private static ToolChoice? ReadChoice(Fields fields, string name)
    {
        switch (fields.Any(name))
        {
            case null:
                return null;
            case JsonValue value when value.TryGetValue<string>(out var use):
                return use switch
                {
                    "auto" => new ToolChoice(ToolUse.Auto),
                    "none" => new ToolChoice(ToolUse.None),
                    "required" => new ToolChoice(ToolUse.Required),
                    _ => throw fields.Wrong(name, "auto, none, required, or a function"),
                };
            default:
                var choice = fields.Object(name)!;
                // Responses put the name beside the type.
                var function =
                    choice.Text("type") == "function"
                        ? choice.Object("function")?.RequiredText("name") ?? choice.Text("name")
                        : null;
                return new ToolChoice(
                    ToolUse.Named,
                    function ?? throw fields.Wrong(name, "auto, none, required, or a function")
                );
        }
    }

    /// <summary>Also of the Responses API, where the name stands beside the type.</summary>
    internal static ToolChoice? ReadToolChoice(Fields fields) => ReadChoice(fields, "tool_choice");

    private static OutputFormat? ReadFormat(Fields? format)
    {
        switch (format?.RequiredText("type"))
        {
            case null or "text":
                return null;
            case "json_object":
                return new OutputFormat(null, null, null);
            case "json_schema":
                var schema = format.Object("json_schema") ?? throw format.Missing("json_schema");
                return new OutputFormat(
                    schema.RequiredText("name"),
                    schema.Json("schema") ?? [],
                    schema.Flag("strict"),
                    schema.Text("description")
                );
            default:
                throw format.Wrong("type", "text, json_object or json_schema");
        }
    }
}
