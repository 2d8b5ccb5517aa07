using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Gemini;

/// <summary>Writes the body of <c>generateContent</c> (Gemini API v1beta).</summary>
internal static class GeminiWriter
{
    // Google's own word for a call that it did not sign; its third generation refuses a call without a signature.
    private const string Unsigned = "skip_thought_signature_validator";

    public static JsonObject Write(Conversation asked, string model, Losses losses)
    {
        var body = new JsonObject();
        if (Turns.SystemOf(asked.Messages) is { Length: > 0 } system)
            body["systemInstruction"] = new JsonObject
            {
                ["parts"] = new JsonArray(new JsonObject { ["text"] = system }),
            };
        var names = asked
            .Messages.SelectMany(message => message.Parts)
            .OfType<ToolCallPart>()
            .GroupBy(call => call.Id)
            .ToDictionary(calls => calls.Key, calls => calls.First().Name);
        var needsSignature = model.Contains("gemini-3", StringComparison.Ordinal);
        var turns = Turns.Join(asked.Messages.Where(message => message.Speaker != Speaker.System));
        body["contents"] = new JsonArray([
            .. turns.Select(turn => new JsonObject
            {
                ["role"] = turn.Speaker == Speaker.Assistant ? "model" : "user",
                ["parts"] = new JsonArray([
                    .. turn.Parts.Select(part => WritePart(part, names, needsSignature, losses)).OfType<JsonNode>(),
                ]),
            }),
        ]);
        if (asked.Tools.Count > 0)
            body["tools"] = new JsonArray(
                new JsonObject
                {
                    ["functionDeclarations"] = new JsonArray([.. asked.Tools.Select(tool => WriteTool(tool, losses))]),
                }
            );
        if (asked.ToolChoice is { } choice)
            body["toolConfig"] = new JsonObject { ["functionCallingConfig"] = WriteChoice(choice) };
        losses.AddIf(asked.ParallelTools == false, "parallel_tool_calls");
        if (asked.User is not null)
            losses.Hint("user");
        var config = WriteConfig(asked);
        if (config.Count > 0)
            body["generationConfig"] = config;
        return body;
    }

    private static JsonObject WriteConfig(Conversation asked)
    {
        var config = new JsonObject();
        Set(config, "maxOutputTokens", asked.MaxTokens);
        Set(config, "temperature", asked.Temperature);
        Set(config, "topP", asked.TopP);
        Set(config, "topK", asked.TopK);
        Set(config, "seed", asked.Seed);
        Set(config, "candidateCount", asked.Count);
        Set(config, "frequencyPenalty", asked.FrequencyPenalty);
        Set(config, "presencePenalty", asked.PresencePenalty);
        if (asked.Stop.Count > 0)
            config["stopSequences"] = new JsonArray([.. asked.Stop.Select(stop => JsonValue.Create(stop))]);
        if (asked.Format is { } format)
        {
            config["responseMimeType"] = "application/json";
            if (format.Schema is not null)
                config["responseJsonSchema"] = format.Schema.DeepClone();
        }
        if ((asked.ThinkingBudget ?? BudgetOf(asked.Effort)) is { } budget)
            config["thinkingConfig"] = new JsonObject
            {
                ["thinkingBudget"] = budget,
                ["includeThoughts"] = budget != 0,
            };
        return config;
    }

    // What Google's OpenAI-compatible endpoint takes these words for.
    private static int? BudgetOf(string? effort) =>
        effort switch
        {
            null => null,
            "none" => 0,
            "minimal" or "low" => 1024,
            "medium" => 8192,
            _ => 24576,
        };

    private static void Set<T>(JsonObject json, string name, T? value)
    {
        if (value is not null)
            json[name] = JsonValue.Create(value);
    }

    private static JsonObject WriteTool(ToolSpec tool, Losses losses)
    {
        var json = new JsonObject { ["name"] = tool.Name };
        Set(json, "description", tool.Description);
        if (tool.Schema is { Count: > 0 })
            json["parametersJsonSchema"] = tool.Schema.DeepClone();
        if (tool.Strict == true)
            losses.Hint("tools.strict");
        return json;
    }

    private static JsonObject WriteChoice(ToolChoice choice) =>
        choice.Use switch
        {
            ToolUse.None => new JsonObject { ["mode"] = "NONE" },
            ToolUse.Required => new JsonObject { ["mode"] = "ANY" },
            ToolUse.Named => new JsonObject { ["mode"] = "ANY", ["allowedFunctionNames"] = new JsonArray(choice.Name) },
            _ => new JsonObject { ["mode"] = "AUTO" },
        };

    private static JsonObject? WritePart(
        Part part,
        Dictionary<string, string> names,
        bool needsSignature,
        Losses losses
    )
    {
        switch (part)
        {
            case TextPart text:
                return new JsonObject { ["text"] = text.Text };
            case RefusalPart refusal:
                return new JsonObject { ["text"] = refusal.Text };
            case ImagePart { Base64: not null } image:
                return Inline(image.MediaType!, image.Base64);
            case ImagePart image:
                return Remote(image.Url!, "image/*");
            case FilePart { Base64: not null } file:
                return Inline(file.MediaType!, file.Base64);
            case FilePart file:
                return Remote(file.Url!, file.MediaType ?? "application/pdf");
            case AudioPart audio:
                return Inline("audio/" + audio.Format, audio.Base64);
            case ToolCallPart call:
                var json = new JsonObject
                {
                    ["functionCall"] = new JsonObject
                    {
                        ["name"] = call.Name,
                        ["args"] = Json.ObjectOf(call.Arguments),
                    },
                };
                Set(json, "thoughtSignature", call.Signature ?? (needsSignature ? Unsigned : null));
                return json;
            case ToolResultPart result:
                losses.AddIf(result.Content.Any(inner => inner is not TextPart), "tool_result.content (images)");
                return new JsonObject
                {
                    ["functionResponse"] = new JsonObject
                    {
                        ["name"] = names.GetValueOrDefault(result.Id, result.Id),
                        ["response"] = WriteResult(result),
                    },
                };
            default:
                losses.Hint("thinking");
                return null;
        }
    }

    private static JsonObject WriteResult(ToolResultPart result)
    {
        var text = Turns.TextOf(result.Content);
        if (result.IsError)
            return new JsonObject { ["error"] = text };
        return text.StartsWith('{') && Json.ObjectOf(text) is var json && !json.ContainsKey("_raw")
            ? json
            : new JsonObject { ["result"] = text };
    }

    private static JsonObject Inline(string type, string base64) =>
        new()
        {
            ["inlineData"] = new JsonObject { ["mimeType"] = type, ["data"] = base64 },
        };

    private static JsonObject Remote(string url, string type) =>
        new()
        {
            ["fileData"] = new JsonObject { ["mimeType"] = type, ["fileUri"] = url },
        };
}
