using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>Reads messages, content blocks and tools, and collects what it does not know. Not thread-safe.</summary>
internal sealed class BlockReader
{
    public List<string> Unknown { get; } = [];

    public List<string> Hints { get; } = [];

    public Message ReadMessage(Fields message)
    {
        var speaker = message.RequiredText("role") switch
        {
            "user" => Speaker.User,
            "assistant" => Speaker.Assistant,
            "system" => Speaker.System,
            var other => throw message.Wrong("role", $"user or assistant, not '{other}'"),
        };
        var parts = message.Has("content") ? ReadContent(message, "content") : throw message.Missing("content");
        Unknown.AddRange(message.Rest);
        return new Message(speaker, parts);
    }

    /// <summary>A string or a list of blocks.</summary>
    public IReadOnlyList<Part> ReadContent(Fields owner, string name) =>
        owner.Any(name) switch
        {
            null => [],
            JsonValue value when value.TryGetValue<string>(out var text) => [new TextPart(text)],
            JsonArray => [.. owner.Objects(name).Select(ReadBlock).OfType<Part>()],
            _ => throw owner.Wrong(name, "a string or a list of blocks"),
        };

    private Part? ReadBlock(Fields block)
    {
        Part? part;
        switch (block.RequiredText("type"))
        {
            case "text":
                part = new TextPart(block.RequiredText("text"));
                break;
            case "image":
                part = ReadImage(block.Object("source") ?? throw block.Missing("source"));
                break;
            case "document":
                part = ReadDocument(block.Object("source") ?? throw block.Missing("source"), block.Text("title"));
                break;
            case "tool_use":
                part = new ToolCallPart(
                    block.RequiredText("id"),
                    block.RequiredText("name"),
                    (block.Json("input") ?? []).ToJsonString(Sse.Json)
                );
                break;
            case "tool_result":
                part = new ToolResultPart(
                    block.RequiredText("tool_use_id"),
                    ReadContent(block, "content"),
                    block.Flag("is_error") ?? false
                );
                break;
            case "thinking":
                part = new ThinkingPart(block.RequiredText("thinking"), block.Text("signature"));
                break;
            case "redacted_thinking":
                Hints.Add(block.PathOf("type") + " 'redacted_thinking'");
                return null;
            case var other:
                Unknown.Add($"{block.PathOf("type")} '{other}'");
                return null;
        }
        Hints.AddRange(block.Hints("cache_control"));
        // False is how clients say that they want none.
        if (block.Any("citations") is JsonObject citations && citations["enabled"]?.ToString() != "false")
            Unknown.Add(block.PathOf("citations"));
        Unknown.AddRange(block.Rest);
        return part;
    }

    private static ImagePart ReadImage(Fields source) =>
        source.RequiredText("type") switch
        {
            "base64" => new ImagePart(null, source.RequiredText("media_type"), source.RequiredText("data")),
            "url" => new ImagePart(source.RequiredText("url"), null, null),
            _ => throw source.Wrong("type", "base64 or url"),
        };

    private static FilePart ReadDocument(Fields source, string? title) =>
        source.RequiredText("type") switch
        {
            "base64" => new FilePart(null, source.RequiredText("media_type"), source.RequiredText("data"), title),
            "url" => new FilePart(source.RequiredText("url"), null, null, title),
            "text" => new FilePart(
                null,
                "text/plain",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(source.RequiredText("data"))),
                title
            ),
            _ => throw source.Wrong("type", "base64, url or text"),
        };

    public ToolSpec? ReadTool(Fields tool)
    {
        if (tool.Text("type") is { } type and not "custom")
        {
            Unknown.Add($"{tool.PathOf("type")} '{type}'");
            return null;
        }
        var read = new ToolSpec(
            tool.RequiredText("name"),
            tool.Text("description"),
            tool.Json("input_schema"),
            tool.Flag("strict")
        );
        Hints.AddRange(
            tool.Hints("cache_control", "defer_loading", "eager_input_streaming", "input_examples", "allowed_callers")
        );
        Unknown.AddRange(tool.Rest);
        return read;
    }
}
