using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>Reads <c>chat.completion.chunk</c> events.</summary>
internal sealed class ChatStreamReader : IAnswerReader
{
    private readonly HashSet<(int Choice, int Index)> _calls = [];
    private bool _began;
    private bool _cited;

    public IEnumerable<AnswerEvent> Read(string data)
    {
        if (data is "[DONE]")
            return [new Ended()];
        if (JsonNode.Parse(data) is not JsonObject chunk)
            throw new JsonException("an event is not an object");
        return [.. Read(chunk)];
    }

    private IEnumerable<AnswerEvent> Read(JsonObject chunk)
    {
        if (chunk["error"] is { } error)
        {
            yield return new Broke(OpenAiErrors.Read(StatusIn(error), chunk));
            yield break;
        }
        if (!_began)
        {
            _began = true;
            yield return new Began(ChatAnswer.Text(chunk["id"]) ?? "", ChatAnswer.Text(chunk["model"]) ?? "");
        }
        if (!_cited && chunk["citations"] is JsonArray { Count: > 0 } citations)
        {
            _cited = true;
            yield return new Cited([.. citations.Select(ChatAnswer.Text).OfType<string>()]);
        }
        foreach (var choice in (chunk["choices"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var index = ChatAnswer.Int(choice["index"]);
            foreach (var step in ReadDelta(choice, index))
                yield return step;
            if (ChatAnswer.Text(choice["finish_reason"]) is { } reason)
                yield return new Finished(index, ChatAnswer.ReadFinish(reason));
        }
        if ((chunk["usage"] ?? chunk["x_groq"].Get("usage")) is JsonObject usage)
            yield return new UsageCame(ChatAnswer.ReadUsage(usage)!);
    }

    // Some providers put the status where others have a word.
    private static int StatusIn(JsonNode error) =>
        error is JsonObject && ChatAnswer.Int(error["code"]) is (>= 400 and < 600 and var status) ? status : 500;

    private IEnumerable<AnswerEvent> ReadDelta(JsonObject choice, int index)
    {
        if (choice["delta"] is not JsonObject delta)
            yield break;
        if (
            (ChatAnswer.Text(delta["reasoning_content"]) ?? ChatAnswer.Text(delta["reasoning"])) is
            { Length: > 0 } thought
        )
            yield return new ThinkingCame(index, thought);
        if (ChatAnswer.Text(delta["content"]) is { Length: > 0 } text)
            yield return new TextCame(index, text, choice["logprobs"]?.DeepClone());
        if (ChatAnswer.Text(delta["refusal"]) is { Length: > 0 } refusal)
            yield return new RefusalCame(index, refusal);
        foreach (var call in (delta["tool_calls"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var number = ChatAnswer.Int(call["index"]);
            if (_calls.Add((index, number)))
                yield return new ToolCallBegan(
                    index,
                    number,
                    ChatAnswer.Text(call["id"]) ?? "",
                    ChatAnswer.Text(call["function"].Get("name")) ?? ""
                );
            if (ChatAnswer.Text(call["function"].Get("arguments")) is { Length: > 0 } fragment)
                yield return new ArgumentsCame(index, number, fragment);
        }
    }
}

/// <summary>Writes <c>chat.completion.chunk</c> events.</summary>
internal sealed class ChatStreamWriter(Conversation asked, long created) : IAnswerWriter
{
    private readonly HashSet<int> _begun = [];
    private string _id = "";
    private string _model = asked.Model;
    private Usage? _usage;

    public void Write(AnswerEvent step, IBufferWriter<byte> output)
    {
        switch (step)
        {
            case Began began:
                (_id, _model) = (began.Id, began.Model);
                break;
            case TextCame text:
                Delta(output, text.Choice, new JsonObject { ["content"] = text.Text }, text.LogProbs);
                break;
            case ThinkingCame thinking:
                Delta(output, thinking.Choice, new JsonObject { ["reasoning_content"] = thinking.Text });
                break;
            case RefusalCame refusal:
                Delta(output, refusal.Choice, new JsonObject { ["refusal"] = refusal.Text });
                break;
            case ToolCallBegan call:
                var json = new JsonObject
                {
                    ["index"] = call.Index,
                    ["id"] = call.Id,
                    ["type"] = "function",
                    ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = "" },
                };
                ChatWriter.Sign(json, call.Signature);
                Delta(output, call.Choice, Calls(json));
                break;
            case ArgumentsCame arguments:
                Delta(
                    output,
                    arguments.Choice,
                    Calls(
                        new JsonObject
                        {
                            ["index"] = arguments.Index,
                            ["function"] = new JsonObject { ["arguments"] = arguments.Fragment },
                        }
                    )
                );
                break;
            case Finished finished:
                Begin(output, finished.Choice);
                Sse.Write(
                    output,
                    Chunk([
                        new JsonObject
                        {
                            ["index"] = finished.Choice,
                            ["delta"] = new JsonObject(),
                            ["logprobs"] = null,
                            ["finish_reason"] = ChatAnswer.WriteFinish(finished.Finish),
                        },
                    ])
                );
                break;
            case UsageCame usage:
                _usage = usage.Usage;
                break;
            case Cited cited:
                var sources = Chunk([]);
                sources["citations"] = new JsonArray([.. cited.Sources.Select(source => JsonValue.Create(source))]);
                Sse.Write(output, sources);
                break;
            case Ended:
                if (asked.IncludeUsage && _usage is not null)
                {
                    var last = Chunk([]);
                    last["usage"] = ChatAnswer.WriteUsage(_usage);
                    Sse.Write(output, last);
                }
                output.Write("data: [DONE]\n\n"u8);
                break;
        }
    }

    private static JsonObject Calls(JsonObject call) => new() { ["tool_calls"] = new JsonArray(call) };

    private void Begin(IBufferWriter<byte> output, int choice)
    {
        if (_begun.Add(choice))
            Sse.Write(output, Chunk([One(choice, new JsonObject { ["role"] = "assistant", ["content"] = "" }, null)]));
    }

    private void Delta(IBufferWriter<byte> output, int choice, JsonObject delta, JsonNode? logProbs = null)
    {
        Begin(output, choice);
        Sse.Write(output, Chunk([One(choice, delta, logProbs)]));
    }

    private static JsonObject One(int choice, JsonObject delta, JsonNode? logProbs) =>
        new()
        {
            ["index"] = choice,
            ["delta"] = delta,
            ["logprobs"] = logProbs?.DeepClone(),
            ["finish_reason"] = null,
        };

    private JsonObject Chunk(JsonArray choices) =>
        new()
        {
            ["id"] = _id,
            ["object"] = "chat.completion.chunk",
            ["created"] = created,
            ["model"] = _model,
            ["choices"] = choices,
        };
}
