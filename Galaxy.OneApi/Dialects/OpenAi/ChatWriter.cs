using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>
/// Writes the body of <c>POST /chat/completions</c>. The dialect can say everything that a <see cref="Conversation"/>
/// holds but a few fields of others.
/// </summary>
internal static class ChatWriter
{
    /// <param name="tokensField">Newer models of OpenAI refuse <c>max_tokens</c>, most others know nothing
    /// else.</param>
    public static JsonObject Write(Conversation asked, string model, string tokensField, Losses losses)
    {
        var messages = new JsonArray();
        foreach (var message in asked.Messages)
            WriteMessage(message, messages, losses);
        var body = new JsonObject { ["model"] = model, ["messages"] = messages };
        if (asked.Tools.Count > 0)
            body["tools"] = new JsonArray([.. asked.Tools.Select(WriteTool)]);
        if (asked.ToolChoice is { } choice)
        {
            body["tool_choice"] =
                choice.Use == ToolUse.Named
                    ? new JsonObject
                    {
                        ["type"] = "function",
                        ["function"] = new JsonObject { ["name"] = choice.Name },
                    }
                    : choice.Use switch
                    {
                        ToolUse.None => "none",
                        ToolUse.Required => "required",
                        _ => "auto",
                    };
        }
        Set(body, "parallel_tool_calls", asked.ParallelTools);
        Set(body, tokensField, asked.MaxTokens);
        Set(body, "temperature", asked.Temperature);
        Set(body, "top_p", asked.TopP);
        losses.AddIf(asked.TopK is not null, "top_k");
        Set(body, "frequency_penalty", asked.FrequencyPenalty);
        Set(body, "presence_penalty", asked.PresencePenalty);
        if (asked.Stop.Count > 0)
            body["stop"] = new JsonArray([.. asked.Stop.Select(stop => JsonValue.Create(stop))]);
        Set(body, "seed", asked.Seed);
        Set(body, "n", asked.Count);
        if (asked.Format is { } format)
            body["response_format"] = WriteFormat(format);
        Set(body, "reasoning_effort", asked.Effort ?? EffortOf(asked.ThinkingBudget));
        Set(body, "user", asked.User);
        if (asked.Stream)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }
        return body;
    }

    // A number of tokens is not a word; these are the usual thirds.
    private static string? EffortOf(int? budget) =>
        budget switch
        {
            null => null,
            0 => "none",
            < 4096 => "low",
            < 16384 => "medium",
            _ => "high",
        };

    private static void Set<T>(JsonObject body, string name, T? value)
    {
        if (value is not null)
            body[name] = JsonValue.Create(value);
    }

    private static JsonObject WriteFormat(OutputFormat format)
    {
        if (format.Schema is null)
            return new JsonObject { ["type"] = "json_object" };
        var schema = new JsonObject { ["name"] = format.Name ?? "answer", ["schema"] = format.Schema.DeepClone() };
        Set(schema, "description", format.Description);
        // The other dialects have no loose kind.
        schema["strict"] = format.Strict ?? true;
        return new JsonObject { ["type"] = "json_schema", ["json_schema"] = schema };
    }

    private static JsonObject WriteTool(ToolSpec tool)
    {
        var function = new JsonObject { ["name"] = tool.Name };
        Set(function, "description", tool.Description);
        if (tool.Schema is not null)
            function["parameters"] = tool.Schema.DeepClone();
        Set(function, "strict", tool.Strict);
        return new JsonObject { ["type"] = "function", ["function"] = function };
    }

    private static void WriteMessage(Message message, JsonArray messages, Losses losses)
    {
        switch (message.Speaker)
        {
            case Speaker.System:
                messages.Add(new JsonObject { ["role"] = "system", ["content"] = Turns.Paragraphs(message.Parts) });
                break;
            case Speaker.Assistant:
                messages.Add(WriteAssistant(message, losses));
                break;
            default:
                // What a tool said is a message of its own here, and comes before what the user says to it.
                foreach (var result in message.Parts.OfType<ToolResultPart>())
                {
                    var text = Turns.TextOf(result.Content);
                    losses.AddIf(result.Content.Any(part => part is not TextPart), "tool_result.content (images)");
                    messages.Add(
                        new JsonObject
                        {
                            ["role"] = "tool",
                            ["tool_call_id"] = result.Id,
                            ["content"] = result.IsError ? "Error: " + text : text,
                        }
                    );
                }
                var rest = message.Parts.Where(part => part is not ToolResultPart).ToList();
                if (rest.Count > 0)
                    messages.Add(new JsonObject { ["role"] = "user", ["content"] = WriteContent(rest, losses) });
                break;
        }
    }

    private static JsonObject WriteAssistant(Message message, Losses losses)
    {
        var json = new JsonObject { ["role"] = "assistant" };
        var text = Turns.TextOf(message.Parts);
        var calls = message.Parts.OfType<ToolCallPart>().ToList();
        json["content"] = text.Length > 0 || calls.Count == 0 ? text : null;
        if (message.Parts.OfType<RefusalPart>().FirstOrDefault() is { } refusal)
            json["refusal"] = refusal.Text;
        if (calls.Count > 0)
            json["tool_calls"] = new JsonArray([.. calls.Select(WriteCall)]);
        if (message.Parts.Any(part => part is ThinkingPart))
            losses.Hint("thinking");
        losses.AddIf(
            message.Parts.Any(part => part is ImagePart or FilePart or AudioPart),
            "messages.assistant.content (media)"
        );
        return json;
    }

    internal static JsonObject WriteCall(ToolCallPart call)
    {
        var json = new JsonObject
        {
            ["id"] = call.Id,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
        };
        Sign(json, call.Signature);
        return json;
    }

    /// <summary>As Google's own OpenAI-compatible endpoint carries it.</summary>
    internal static void Sign(JsonObject call, string? signature)
    {
        if (signature is not null)
            call["extra_content"] = new JsonObject
            {
                ["google"] = new JsonObject { ["thought_signature"] = signature },
            };
    }

    private static JsonNode WriteContent(List<Part> parts, Losses losses)
    {
        if (parts is [TextPart only])
            return JsonValue.Create(only.Text);
        return new JsonArray([.. parts.Select(part => WritePart(part, losses)).OfType<JsonNode>()]);
    }

    private static JsonObject? WritePart(Part part, Losses losses)
    {
        switch (part)
        {
            case TextPart text:
                return new JsonObject { ["type"] = "text", ["text"] = text.Text };
            case ImagePart image:
                var url = new JsonObject { ["url"] = image.Address };
                Set(url, "detail", image.Detail);
                return new JsonObject { ["type"] = "image_url", ["image_url"] = url };
            case AudioPart audio:
                return new JsonObject
                {
                    ["type"] = "input_audio",
                    ["input_audio"] = new JsonObject { ["data"] = audio.Base64, ["format"] = audio.Format },
                };
            case FilePart { Base64: not null } file:
                return new JsonObject
                {
                    ["type"] = "file",
                    ["file"] = new JsonObject
                    {
                        ["filename"] = file.Name ?? "document",
                        ["file_data"] = $"data:{file.MediaType};base64,{file.Base64}",
                    },
                };
            default:
                losses.Add("messages.content (a document by its address)");
                return null;
        }
    }
}
