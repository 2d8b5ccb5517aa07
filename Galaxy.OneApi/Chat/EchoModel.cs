using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Chat;

/// <summary>
/// <c>galaxy/echo</c>: answers with the last user message and says that it does. Deterministic and free, so that a client,
/// a route or a stream can be tried with no key. Tokens are words.
/// </summary>
internal static class EchoModel
{
    public const string Name = "galaxy/echo";

    private const string Preface = "This is galaxy/echo, a built-in test model. You said: ";

    public static async Task AnswerAsync(HttpContext context, JsonObject request, bool stream, TimeProvider time)
    {
        var said = LastUserText(request);
        var words = Split(Preface + said);
        var asked = Split(string.Concat(Messages(request).Select(message => Text(message["content"]) + " "))).Count;
        var usage = new JsonObject { ["prompt_tokens"] = asked, ["completion_tokens"] = words.Count, ["total_tokens"] = asked + words.Count };
        var id = "chatcmpl-" + Guid.NewGuid().ToString("N");
        var created = time.GetUtcNow().ToUnixTimeSeconds();
        if (stream)
            await StreamAsync(context, id, created, words, request["stream_options"]?["include_usage"]?.GetValueKind() == JsonValueKind.True ? usage : null);
        else
            await context.Response.WriteAsJsonAsync(Completion(id, created, string.Concat(words), usage));
    }

    private static JsonObject Completion(string id, long created, string text, JsonObject usage) => new()
    {
        ["id"] = id,
        ["object"] = "chat.completion",
        ["created"] = created,
        ["model"] = Name,
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
            ["finish_reason"] = "stop",
        }),
        ["usage"] = usage,
    };

    private static async Task StreamAsync(HttpContext context, string id, long created, List<string> words, JsonObject? usage)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        await SendAsync(context, Chunk(id, created, new JsonObject { ["role"] = "assistant", ["content"] = "" }, null));
        foreach (var word in words)
            await SendAsync(context, Chunk(id, created, new JsonObject { ["content"] = word }, null));
        await SendAsync(context, Chunk(id, created, [], "stop"));
        if (usage is not null)
        {
            var last = Chunk(id, created, [], null);
            last["choices"] = new JsonArray();
            last["usage"] = usage;
            await SendAsync(context, last);
        }
        await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
    }

    private static JsonObject Chunk(string id, long created, JsonObject delta, string? finish) => new()
    {
        ["id"] = id,
        ["object"] = "chat.completion.chunk",
        ["created"] = created,
        ["model"] = Name,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
    };

    private static async Task SendAsync(HttpContext context, JsonObject chunk)
    {
        await context.Response.WriteAsync($"data: {chunk.ToJsonString()}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static IEnumerable<JsonObject> Messages(JsonObject request) => (request["messages"] as JsonArray ?? []).OfType<JsonObject>();

    private static string LastUserText(JsonObject request) =>
        Text(Messages(request).LastOrDefault(message => message["role"]?.ToString() == "user")?["content"]);

    // A string, or parts of which the text ones count.
    private static string Text(JsonNode? content) => content switch
    {
        JsonValue value => value.ToString(),
        JsonArray parts => string.Join(' ', parts.OfType<JsonObject>().Where(part => part["type"]?.ToString() == "text").Select(part => part["text"]?.ToString())),
        _ => "",
    };

    /// <summary>Words with the space before them, so that joining gives the text back.</summary>
    private static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var c in text)
        {
            if (c == ' ' && word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
            word.Append(c);
        }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }
}
