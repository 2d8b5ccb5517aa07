using System.Text;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Backends;

/// <summary>
/// <c>galaxy/echo</c>: answers with the last user message and says that it does. Deterministic and free, so that a
/// client, a route, a stream or a tool can be tried with no key. Tokens are words. A tool that must be called is
/// called, and a schema is filled, with what was said.
/// </summary>
internal static class EchoModel
{
    private const string Preface = "This is galaxy/echo, a built-in test model. You said: ";

    public static Answer Answer(Conversation asked, string id)
    {
        var said = LastSaid(asked);
        var input = Words(string.Join(' ', asked.Messages.SelectMany(message => message.Parts).Select(Text))).Count;
        List<Choice> choices = [];
        for (var i = 0; i < (asked.Count ?? 1); i++)
            choices.Add(Choose(asked, said, i));
        var output = choices.Sum(choice =>
            choice.Parts.Sum(part => Words(part is ToolCallPart call ? call.Arguments : Text(part)).Count)
        );
        return new Answer(id, EchoName.Full, choices, new Usage(input, output));
    }

    private static Choice Choose(Conversation asked, string said, int index)
    {
        var tool = asked.ToolChoice switch
        {
            { Use: ToolUse.Named, Name: var name } => asked.Tools.FirstOrDefault(tool => tool.Name == name),
            { Use: ToolUse.Required } => asked.Tools.Count > 0 ? asked.Tools[0] : null,
            _ => null,
        };
        if (tool is not null)
            return new Choice(
                index,
                [
                    new ToolCallPart(
                        $"call_echo_{index}",
                        tool.Name,
                        EchoJson.Of(tool.Schema, said).ToJsonString(Sse.Json)
                    ),
                ],
                Finish.ToolCalls
            );
        if (asked.Format is { } format)
            return new Choice(
                index,
                [new TextPart(EchoJson.Of(format.Schema, said).ToJsonString(Sse.Json))],
                Finish.Stop
            );
        var words = Words(Preface + said);
        foreach (var stop in asked.Stop.Where(stop => stop.Length > 0))
        {
            var text = string.Concat(words);
            if (text.IndexOf(stop, StringComparison.Ordinal) is >= 0 and var at)
                return new Choice(index, [new TextPart(text[..at])], Finish.StopSequence, stop);
        }
        return asked.MaxTokens < words.Count
            ? new Choice(index, [new TextPart(string.Concat(words.Take(asked.MaxTokens.Value)))], Finish.Length)
            : new Choice(index, [new TextPart(string.Concat(words))], Finish.Stop);
    }

    /// <summary>Word by word.</summary>
    public static IEnumerable<AnswerEvent> Steps(Answer answer)
    {
        foreach (var step in AnswerEvents.Of(answer))
        {
            if (step is not TextCame text)
            {
                yield return step;
                continue;
            }
            foreach (var word in Words(text.Text))
                yield return new TextCame(text.Choice, word);
        }
    }

    private static string LastSaid(Conversation asked)
    {
        var parts = asked.Messages.LastOrDefault(message => message.Speaker == Speaker.User)?.Parts ?? [];
        return string.Join(' ', parts.Select(Text).Where(text => text.Length > 0));
    }

    // A model that cannot see says what it was shown.
    private static string Text(Part part) =>
        part switch
        {
            TextPart text => text.Text,
            ToolResultPart result => Turns.TextOf(result.Content),
            ImagePart image => $"[an image: {image.MediaType ?? image.Url}]",
            FilePart file => $"[a document: {file.Name ?? file.MediaType ?? file.Url}]",
            AudioPart audio => $"[sound: {audio.Format}]",
            _ => "",
        };

    /// <summary>Words with the space before them, so that joining gives the text back.</summary>
    public static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var letter in text)
        {
            if (letter == ' ' && word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
            word.Append(letter);
        }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }
}

/// <summary>The smallest JSON that a schema allows, with the given text wherever a text may be.</summary>
internal static class EchoJson
{
    private const int Deepest = 16;

    public static JsonObject Of(JsonObject? schema, string text) =>
        Value(schema, schema, text, 0) as JsonObject ?? new JsonObject { ["said"] = text };

    private static JsonNode? Value(JsonNode? schema, JsonObject? root, string text, int depth)
    {
        if (schema is not JsonObject rules || depth > Deepest)
            return depth == 0 ? null : JsonValue.Create(text);
        if (
            rules["$ref"] is JsonValue reference
            && reference.TryGetValue<string>(out var path)
            && path.StartsWith("#/", StringComparison.Ordinal)
        )
            return Value(
                path[2..].Split('/').Aggregate((JsonNode?)root, (node, name) => node.Get(name)),
                root,
                text,
                depth + 1
            );
        if (rules["const"] is { } constant)
            return constant.DeepClone();
        if (rules["enum"] is JsonArray { Count: > 0 } choices)
            return choices[0]?.DeepClone();
        if ((rules["anyOf"] ?? rules["oneOf"]) is JsonArray { Count: > 0 } options)
            return Value(options[0], root, text, depth + 1);
        var type = rules["type"] is JsonArray { Count: > 0 } types ? types[0]?.ToString() : rules["type"]?.ToString();
        switch (type ?? (rules["properties"] is null ? "string" : "object"))
        {
            case "object":
                return new JsonObject(
                    (rules["properties"] as JsonObject ?? []).Select(property =>
                        KeyValuePair.Create(property.Key, Value(property.Value, root, text, depth + 1))
                    )
                );
            case "array":
                return rules["items"] is null
                    ? new JsonArray()
                    : new JsonArray(Value(rules["items"], root, text, depth + 1));
            case "integer" or "number":
                return rules["minimum"]?.DeepClone() ?? JsonValue.Create(0);
            case "boolean":
                return JsonValue.Create(true);
            case "null":
                return null;
            default:
                return JsonValue.Create(text);
        }
    }
}
