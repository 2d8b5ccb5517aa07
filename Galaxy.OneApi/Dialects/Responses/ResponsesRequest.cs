using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Responses;

/// <summary>Reads the body of <c>POST /v1/responses</c>.</summary>
internal static class ResponsesRequest
{
    public static Conversation Read(JsonObject request)
    {
        var fields = new Fields(request, "");
        List<string> unknown = [],
            hints = [];
        var messages = new List<Message>();
        if (fields.Text("instructions") is { Length: > 0 } instructions)
            messages.Add(new Message(Speaker.System, [new TextPart(instructions)]));
        messages.AddRange(ReadInput(fields, unknown, hints));
        var tools = fields.Objects("tools").Select(tool => ReadTool(tool, unknown)).OfType<ToolSpec>().ToList();
        var reasoning = fields.Object("reasoning");
        var text = fields.Object("text");
        var read = new Conversation
        {
            Model = fields.RequiredText("model"),
            Messages = Turns.Join(messages),
            Tools = tools,
            ToolChoice = ChatRequest.ReadToolChoice(fields),
            ParallelTools = fields.Flag("parallel_tool_calls"),
            MaxTokens = fields.Int("max_output_tokens", 1),
            Temperature = fields.Number("temperature", 0, 2),
            TopP = fields.Number("top_p", 0, 1),
            Format = text?.Object("format") is { } format ? ReadFormat(format) : null,
            Effort = reasoning?.Text("effort"),
            User = fields.Text("user") ?? fields.Text("safety_identifier"),
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = true,
        };
        hints.AddRange(
            fields.Hints(
                "include",
                "metadata",
                "store",
                "service_tier",
                "prompt_cache_key",
                "prompt_cache_retention",
                "prompt_cache_options",
                "stream_options",
                "safety_identifier"
            )
        );
        hints.AddRange(reasoning?.Rest ?? []);
        if (fields.Text("truncation") is not (null or "disabled"))
            unknown.Add("truncation");
        if (fields.Flag("background") == true)
            unknown.Add("background");
        // ResponseKeeper has resolved the previous response before.
        fields.Hints("previous_response_id", "drop_params");
        return read with { Hints = hints, Unknown = [.. unknown, .. text?.Rest ?? [], .. fields.Rest] };
    }

    private static List<Message> ReadInput(Fields fields, List<string> unknown, List<string> hints)
    {
        switch (fields.Any("input"))
        {
            case null:
                throw fields.Missing("input");
            case JsonValue value when value.TryGetValue<string>(out var text):
                return [new Message(Speaker.User, [new TextPart(text)])];
            case JsonArray { Count: > 0 }:
                return [.. fields.Objects("input").Select(item => ReadItem(item, unknown, hints)).OfType<Message>()];
            default:
                throw fields.Wrong("input", "a string or a list of items");
        }
    }

    private static Message? ReadItem(Fields item, List<string> unknown, List<string> hints)
    {
        switch (item.Text("type") ?? (item.Has("role") ? "message" : throw item.Missing("type")))
        {
            case "message":
                var speaker = item.RequiredText("role") switch
                {
                    "system" or "developer" => Speaker.System,
                    "user" => Speaker.User,
                    "assistant" => Speaker.Assistant,
                    var other => throw item.Wrong("role", $"system, developer, user or assistant, not '{other}'"),
                };
                item.Hints("id", "status", "phase");
                var message = new Message(speaker, [.. ReadContent(item, "content", unknown, hints)]);
                unknown.AddRange(item.Rest);
                return message;
            case "function_call":
                return new Message(
                    Speaker.Assistant,
                    [
                        new ToolCallPart(
                            item.RequiredText("call_id"),
                            item.RequiredText("name"),
                            item.RequiredText("arguments")
                        ),
                    ]
                );
            case "function_call_output":
                return new Message(
                    Speaker.User,
                    [
                        new ToolResultPart(
                            item.RequiredText("call_id"),
                            [.. ReadContent(item, "output", unknown, hints)],
                            IsError: false
                        ),
                    ]
                );
            case "reasoning":
                hints.Add(item.PathOf("type") + " 'reasoning'");
                return null;
            case var other:
                unknown.Add($"{item.PathOf("type")} '{other}'");
                return null;
        }
    }

    private static IEnumerable<Part> ReadContent(Fields item, string name, List<string> unknown, List<string> hints) =>
        item.Any(name) switch
        {
            null => throw item.Missing(name),
            JsonValue value when value.TryGetValue<string>(out var text) => [new TextPart(text)],
            JsonArray => item.Objects(name).Select(part => ReadPart(part, unknown, hints)).OfType<Part>().ToList(),
            _ => throw item.Wrong(name, "a string or a list of parts"),
        };

    private static Part? ReadPart(Fields part, List<string> unknown, List<string> hints)
    {
        switch (part.RequiredText("type"))
        {
            case "input_text" or "output_text" or "text":
                hints.AddRange(part.Hints("annotations", "logprobs").Where(_ => false));
                return new TextPart(part.RequiredText("text"));
            case "refusal":
                return new RefusalPart(part.RequiredText("refusal"));
            case "input_image" when part.Text("image_url") is { } url:
                return ImagePart.Of(url, part.Text("detail"));
            case "input_file" when part.Text("file_data") is { } data:
                return DataUrl.TryRead(data, out var type, out var base64)
                    ? new FilePart(null, type, base64, part.Text("filename"))
                    : throw part.Wrong("file_data", "a data: address with base64 content");
            case "input_file" when part.Text("file_url") is { } address:
                return new FilePart(address, null, null, part.Text("filename"));
            case var other:
                unknown.Add($"{part.PathOf("type")} '{other}'");
                return null;
        }
    }

    private static ToolSpec? ReadTool(Fields tool, List<string> unknown)
    {
        if (tool.RequiredText("type") is var type && type != "function")
        {
            unknown.Add($"{tool.PathOf("type")} '{type}'");
            return null;
        }
        var read = new ToolSpec(
            tool.RequiredText("name"),
            tool.Text("description"),
            tool.Json("parameters"),
            tool.Flag("strict")
        );
        unknown.AddRange(tool.Rest);
        return read;
    }

    private static OutputFormat? ReadFormat(Fields format) =>
        format.RequiredText("type") switch
        {
            "text" => null,
            "json_object" => new OutputFormat(null, null, null),
            "json_schema" => new OutputFormat(
                format.RequiredText("name"),
                format.Json("schema") ?? throw format.Missing("schema"),
                format.Flag("strict"),
                format.Text("description")
            ),
            _ => throw format.Wrong("type", "text, json_object or json_schema"),
        };
}
