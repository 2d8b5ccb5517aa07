using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Gemini;

/// <summary>
/// Reads answers of <c>generateContent</c>, whole and streamed: a streamed one is many small whole ones.
/// </summary>
internal static class GeminiAnswer
{
    public static Answer Read(JsonObject json)
    {
        if (json["candidates"] is not JsonArray candidates)
        {
            // What the model will not even look at has no candidates.
            return ChatAnswer.Text(json["promptFeedback"].Get("blockReason")) is not null
                ? new Answer(
                    IdOf(json),
                    ModelOf(json),
                    [new Choice(0, [], Finish.ContentFilter)],
                    ReadUsage(json["usageMetadata"])
                )
                : throw new JsonException("it has no 'candidates'");
        }
        return new Answer(
            IdOf(json),
            ModelOf(json),
            [.. candidates.OfType<JsonObject>().Select(ReadCandidate)],
            ReadUsage(json["usageMetadata"])
        );
    }

    public static string IdOf(JsonObject json) =>
        ChatAnswer.Text(json["responseId"]) ?? "gemini-" + Guid.NewGuid().ToString("N");

    public static string ModelOf(JsonObject json) => ChatAnswer.Text(json["modelVersion"]) ?? "";

    private static Choice ReadCandidate(JsonObject candidate)
    {
        List<Part> parts = [.. PartsOf(candidate)];
        var reason = ReadFinish(ChatAnswer.Text(candidate["finishReason"]));
        return new Choice(
            ChatAnswer.Int(candidate["index"]),
            parts,
            reason == Finish.Stop && parts.Any(part => part is ToolCallPart) ? Finish.ToolCalls : reason
        );
    }

    public static IEnumerable<Part> PartsOf(JsonObject candidate)
    {
        foreach (var part in (candidate["content"].Get("parts") as JsonArray ?? []).OfType<JsonObject>())
        {
            if (part["functionCall"] is JsonObject call)
            {
                var id = ChatAnswer.Text(call["id"]) is { Length: > 0 } given
                    ? given
                    : "call_" + Guid.NewGuid().ToString("N")[..24];
                yield return new ToolCallPart(
                    id,
                    ChatAnswer.Text(call["name"]) ?? "",
                    (call["args"] ?? new JsonObject()).ToJsonString(Sse.Json)
                )
                {
                    Signature = ChatAnswer.Text(part["thoughtSignature"]),
                };
            }
            else if (ChatAnswer.Text(part["text"]) is { Length: > 0 } text)
            {
                yield return part["thought"]?.ToString() == "true" ? new ThinkingPart(text, null) : new TextPart(text);
            }
        }
    }

    public static Finish ReadFinish(string? reason) =>
        reason switch
        {
            "MAX_TOKENS" => Finish.Length,
            "SAFETY" or "RECITATION" or "BLOCKLIST" or "PROHIBITED_CONTENT" or "SPII" or "IMAGE_SAFETY" =>
                Finish.ContentFilter,
            _ => Finish.Stop,
        };

    // Thoughts are counted beside the answer here, and within it elsewhere.
    public static Usage ReadUsage(JsonNode? usage)
    {
        var thoughts = ChatAnswer.Int(usage.Get("thoughtsTokenCount"));
        return new Usage(
            ChatAnswer.Int(usage.Get("promptTokenCount")),
            ChatAnswer.Int(usage.Get("candidatesTokenCount")) + thoughts,
            ChatAnswer.Int(usage.Get("cachedContentTokenCount")),
            Reasoning: thoughts
        );
    }
}

/// <inheritdoc cref="GeminiAnswer"/>
internal sealed class GeminiStreamReader : IAnswerReader
{
    private readonly Dictionary<int, int> _calls = [];
    private bool _began;

    public IEnumerable<AnswerEvent> Read(string data)
    {
        if (JsonNode.Parse(data) is not JsonObject json)
            throw new JsonException("an event is not an object");
        return [.. Read(json)];
    }

    private IEnumerable<AnswerEvent> Read(JsonObject json)
    {
        if (json["error"] is not null)
        {
            yield return new Broke(GeminiErrors.Read(500, json));
            yield break;
        }
        if (!_began)
        {
            _began = true;
            yield return new Began(
                GeminiAnswer.IdOf(json),
                GeminiAnswer.ModelOf(json),
                GeminiAnswer.ReadUsage(json["usageMetadata"]) with
                {
                    Output = 0,
                }
            );
        }
        if (json["usageMetadata"] is { } usage)
            yield return new UsageCame(GeminiAnswer.ReadUsage(usage));
        foreach (var candidate in (json["candidates"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var index = ChatAnswer.Int(candidate["index"]);
            foreach (var part in GeminiAnswer.PartsOf(candidate))
            {
                switch (part)
                {
                    case TextPart text:
                        yield return new TextCame(index, text.Text);
                        break;
                    case ThinkingPart thinking:
                        yield return new ThinkingCame(index, thinking.Text);
                        break;
                    case ToolCallPart call:
                        var number = _calls[index] = _calls.GetValueOrDefault(index, -1) + 1;
                        yield return new ToolCallBegan(index, number, call.Id, call.Name, call.Signature);
                        yield return new ArgumentsCame(index, number, call.Arguments);
                        break;
                }
            }
            if (ChatAnswer.Text(candidate["finishReason"]) is { } reason)
            {
                var finish = GeminiAnswer.ReadFinish(reason);
                yield return new Finished(
                    index,
                    finish == Finish.Stop && _calls.ContainsKey(index) ? Finish.ToolCalls : finish
                );
            }
        }
        if (ChatAnswer.Text(json["promptFeedback"].Get("blockReason")) is not null)
            yield return new Finished(0, Finish.ContentFilter);
    }
}

/// <summary>Google's error object.</summary>
internal static class GeminiErrors
{
    public static ModelError Read(int status, JsonNode? body)
    {
        var error = (body is JsonArray list ? list.FirstOrDefault() as JsonObject : body as JsonObject).Get("error");
        var message = ChatAnswer.Text(error.Get("message")) ?? $"It answered with status {status}.";
        var details = (error.Get("details") as JsonArray ?? []).OfType<JsonObject>().ToList();
        var code = ChatAnswer.Int(error.Get("code")) is (> 0 and var said) ? said : status;
        var kind = details.Any(detail => ChatAnswer.Text(detail["reason"]) == "API_KEY_INVALID")
            ? ErrorKind.Authentication
            : OpenAiErrors.KindOf(code, message);
        return new ModelError(
            kind,
            message,
            RetryAfter: details
                .Select(detail => Delay(ChatAnswer.Text(detail["retryDelay"])))
                .FirstOrDefault(delay => delay is not null)
        );
    }

    // A duration of protobuf's JSON: seconds with an s behind.
    private static TimeSpan? Delay(string? text) =>
        text is { Length: > 1 }
        && text[^1] == 's'
        && double.TryParse(text.AsSpan(..^1), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
        && seconds is >= 0 and < 86_400
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
