using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>Reads the events of a streamed message.</summary>
internal sealed class MessagesStreamReader : IAnswerReader
{
    private readonly Dictionary<int, int> _calls = [];
    private Usage? _usage;

    public IEnumerable<AnswerEvent> Read(string data)
    {
        if (JsonNode.Parse(data) is not JsonObject step)
            throw new JsonException("an event is not an object");
        return [.. Read(step)];
    }

    private IEnumerable<AnswerEvent> Read(JsonObject step)
    {
        switch (ChatAnswer.Text(step["type"]))
        {
            case "message_start":
                _usage = MessagesAnswer.ReadUsage(step["message"].Get("usage"), null);
                yield return new Began(
                    ChatAnswer.Text(step["message"].Get("id")) ?? "",
                    ChatAnswer.Text(step["message"].Get("model")) ?? "",
                    _usage
                );
                break;
            case "content_block_start" when ChatAnswer.Text(step["content_block"].Get("type")) == "tool_use":
                var block = step["content_block"]!;
                var number = _calls[ChatAnswer.Int(step["index"])] = _calls.Count;
                yield return new ToolCallBegan(
                    0,
                    number,
                    ChatAnswer.Text(block["id"]) ?? "",
                    ChatAnswer.Text(block["name"]) ?? ""
                );
                if (block["input"] is JsonObject { Count: > 0 } input)
                    yield return new ArgumentsCame(0, number, input.ToJsonString(Sse.Json));
                break;
            case "content_block_start" when ChatAnswer.Text(step["content_block"].Get("text")) is { Length: > 0 } first:
                yield return new TextCame(0, first);
                break;
            case "content_block_delta":
                if (ReadDelta(step) is { } delta)
                    yield return delta;
                break;
            case "message_delta":
                _usage = MessagesAnswer.ReadUsage(step["usage"], _usage);
                if (ChatAnswer.Text(step["delta"].Get("stop_reason")) is { } reason)
                    yield return new Finished(
                        0,
                        MessagesAnswer.ReadFinish(reason),
                        ChatAnswer.Text(step["delta"].Get("stop_sequence"))
                    );
                yield return new UsageCame(_usage);
                break;
            case "message_stop":
                yield return new Ended();
                break;
            case "error":
                yield return new Broke(AnthropicErrors.Read(500, step));
                break;
        }
    }

    private AnswerEvent? ReadDelta(JsonObject step)
    {
        var delta = step["delta"];
        switch (ChatAnswer.Text(delta.Get("type")))
        {
            case "text_delta":
                return new TextCame(0, ChatAnswer.Text(delta!["text"]) ?? "");
            case "thinking_delta":
                return new ThinkingCame(0, ChatAnswer.Text(delta!["thinking"]) ?? "");
            case "signature_delta":
                return new ThinkingSigned(0, ChatAnswer.Text(delta!["signature"]) ?? "");
            case "input_json_delta" when _calls.TryGetValue(ChatAnswer.Int(step["index"]), out var number):
                return new ArgumentsCame(0, number, ChatAnswer.Text(delta!["partial_json"]) ?? "");
            default:
                return null;
        }
    }
}
