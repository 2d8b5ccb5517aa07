using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>The answer of <c>/chat/completions</c>, both ways.</summary>
internal static class ChatAnswer
{
    public static Answer Read(JsonObject json)
    {
        if (json["choices"] is not JsonArray choices)
            throw new JsonException("it has no 'choices'");
        return new Answer(
            Text(json["id"]) ?? "",
            Text(json["model"]) ?? "",
            [.. choices.OfType<JsonObject>().Select(ReadChoice)],
            ReadUsage(json["usage"]) ?? new Usage(0, 0)
        )
        {
            Citations = [.. (json["citations"] as JsonArray ?? []).Select(Text).OfType<string>()],
        };
    }

    public static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static Choice ReadChoice(JsonObject choice)
    {
        if (choice["message"] is not JsonObject message)
            throw new JsonException("a choice has no 'message'");
        List<Part> parts = [];
        if ((Text(message["reasoning_content"]) ?? Text(message["reasoning"])) is { Length: > 0 } thought)
            parts.Add(new ThinkingPart(thought, null));
        if (Text(message["content"]) is { Length: > 0 } content)
            parts.Add(new TextPart(content));
        if (Text(message["refusal"]) is { Length: > 0 } refusal)
            parts.Add(new RefusalPart(refusal));
        foreach (var call in (message["tool_calls"] as JsonArray ?? []).OfType<JsonObject>())
            parts.Add(
                new ToolCallPart(
                    Text(call["id"]) ?? "",
                    Text(call["function"].Get("name")) ?? "",
                    Text(call["function"].Get("arguments")) ?? "{}"
                )
            );
        return new Choice(
            Int(choice["index"]),
            parts,
            ReadFinish(Text(choice["finish_reason"])),
            LogProbs: choice["logprobs"]?.DeepClone()
        );
    }

    public static Finish ReadFinish(string? reason) =>
        reason switch
        {
            "length" => Finish.Length,
            "tool_calls" or "function_call" => Finish.ToolCalls,
            "content_filter" => Finish.ContentFilter,
            _ => Finish.Stop,
        };

    public static string WriteFinish(Finish finish) =>
        finish switch
        {
            Finish.Length or Finish.ContextLength => "length",
            Finish.ToolCalls => "tool_calls",
            Finish.ContentFilter => "content_filter",
            _ => "stop",
        };

    public static int Int(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<double>(out var number) ? (int)number : 0;

    public static Usage? ReadUsage(JsonNode? usage) =>
        usage is not JsonObject
            ? null
            : new Usage(
                Int(usage["prompt_tokens"]),
                Int(usage["completion_tokens"]),
                Int(usage["prompt_tokens_details"].Get("cached_tokens")),
                Reasoning: Int(usage["completion_tokens_details"].Get("reasoning_tokens"))
            );

    public static JsonObject WriteUsage(Usage usage)
    {
        var json = new JsonObject
        {
            ["prompt_tokens"] = usage.Input,
            ["completion_tokens"] = usage.Output,
            ["total_tokens"] = usage.Total,
        };
        if (usage.CacheRead > 0)
            json["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CacheRead };
        if (usage.Reasoning > 0)
            json["completion_tokens_details"] = new JsonObject { ["reasoning_tokens"] = usage.Reasoning };
        return json;
    }

    public static JsonObject Write(Answer answer, long created)
    {
        var json = new JsonObject
        {
            ["id"] = answer.Id,
            ["object"] = "chat.completion",
            ["created"] = created,
            ["model"] = answer.Model,
            ["choices"] = new JsonArray([.. answer.Choices.Select(WriteChoice)]),
            ["usage"] = WriteUsage(answer.Usage),
        };
        if (answer.Citations.Count > 0)
            json["citations"] = new JsonArray([.. answer.Citations.Select(source => JsonValue.Create(source))]);
        return json;
    }

    private static JsonObject WriteChoice(Choice choice)
    {
        var calls = choice.Parts.OfType<ToolCallPart>().ToList();
        var text = Turns.TextOf(choice.Parts);
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] =
                text.Length > 0 || (calls.Count == 0 && !choice.Parts.Any(part => part is RefusalPart)) ? text : null,
            ["refusal"] = choice.Parts.OfType<RefusalPart>().FirstOrDefault()?.Text,
        };
        if (string.Concat(choice.Parts.OfType<ThinkingPart>().Select(part => part.Text)) is { Length: > 0 } thought)
            message["reasoning_content"] = thought;
        if (calls.Count > 0)
            message["tool_calls"] = new JsonArray([.. calls.Select(ChatWriter.WriteCall)]);
        return new JsonObject
        {
            ["index"] = choice.Index,
            ["message"] = message,
            ["logprobs"] = choice.LogProbs?.DeepClone(),
            ["finish_reason"] = WriteFinish(choice.Finish),
        };
    }
}
