using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>A client of the old <c>/v1/completions</c>: a prompt instead of messages.</summary>
internal sealed class CompletionsClient(TimeProvider time) : ClientDialect
{
    public override Wire Wire => Wire.Completions;

    public override Conversation Read(JsonObject request)
    {
        var fields = new Fields(request, "");
        var prompts = fields.Texts("prompt");
        if (prompts.Count != 1)
            throw prompts.Count == 0
                ? fields.Missing("prompt")
                : fields.Wrong("prompt", "one prompt: this provider answers one at a time");
        var unknown = new List<string>();
        if (fields.Flag("echo") == true)
            unknown.Add("echo");
        if (fields.Int("best_of") > 1)
            unknown.Add("best_of");
        fields.Hints("drop_params");
        return new Conversation
        {
            Model = fields.RequiredText("model"),
            Messages = [new Message(Speaker.User, [new TextPart(prompts[0])])],
            MaxTokens = fields.Int("max_tokens", 1),
            Temperature = fields.Number("temperature", 0, 2),
            TopP = fields.Number("top_p", 0, 1),
            FrequencyPenalty = fields.Number("frequency_penalty", -2, 2),
            PresencePenalty = fields.Number("presence_penalty", -2, 2),
            Stop = fields.Texts("stop"),
            Seed = fields.Integer("seed"),
            Count = fields.Int("n", 1, 128),
            User = fields.Text("user"),
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = fields.Object("stream_options")?.Flag("include_usage") ?? false,
            Unknown = [.. unknown, .. fields.Rest],
        };
    }

    public override JsonObject Write(Answer answer, Conversation asked) =>
        new()
        {
            ["id"] = answer.Id,
            ["object"] = "text_completion",
            ["created"] = time.GetUtcNow().ToUnixTimeSeconds(),
            ["model"] = answer.Model,
            ["choices"] = new JsonArray([
                .. answer.Choices.Select(choice => Choice(choice.Index, Turns.TextOf(choice.Parts), choice.Finish)),
            ]),
            ["usage"] = ChatAnswer.WriteUsage(answer.Usage),
        };

    private static JsonObject Choice(int index, string text, Finish? finish) =>
        new()
        {
            ["index"] = index,
            ["text"] = text,
            ["logprobs"] = null,
            ["finish_reason"] = finish is { } reason ? ChatAnswer.WriteFinish(reason) : null,
        };

    public override IAnswerWriter Stream(Conversation asked) => new Writer(asked, time.GetUtcNow().ToUnixTimeSeconds());

    public override JsonObject Error(ModelError error) => OpenAiErrors.Write(error);

    public override void WriteStreamError(ModelError error, IBufferWriter<byte> output) =>
        Sse.Write(output, OpenAiErrors.Write(error));

    private sealed class Writer(Conversation asked, long created) : IAnswerWriter
    {
        private Began _began = new("", asked.Model);
        private Usage? _usage;

        public void Write(AnswerEvent step, IBufferWriter<byte> output)
        {
            switch (step)
            {
                case Began began:
                    _began = began;
                    break;
                case TextCame text:
                    Sse.Write(output, Chunk(Choice(text.Choice, text.Text, null)));
                    break;
                case Finished finished:
                    Sse.Write(output, Chunk(Choice(finished.Choice, "", finished.Finish)));
                    break;
                case UsageCame usage:
                    _usage = usage.Usage;
                    break;
                case Ended:
                    if (asked.IncludeUsage && _usage is not null)
                    {
                        var last = Chunk();
                        last["usage"] = ChatAnswer.WriteUsage(_usage);
                        Sse.Write(output, last);
                    }
                    output.Write("data: [DONE]\n\n"u8);
                    break;
            }
        }

        private JsonObject Chunk(params JsonNode[] choices) =>
            new()
            {
                ["id"] = _began.Id,
                ["object"] = "text_completion",
                ["created"] = created,
                ["model"] = _began.Model,
                ["choices"] = new JsonArray(choices),
            };
    }
}

/// <summary>A provider with <c>/completions</c>. Requests only pass through.</summary>
internal sealed class CompletionsProvider : ProviderDialect
{
    public override Wire Wire => Wire.Completions;

    public override string Path(string model, bool stream) => "/completions";

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        throw new NotSupportedException("Completions only pass through.");

    public override Answer Read(JsonObject answer) => throw new NotSupportedException("Completions only pass through.");

    public override string? Proof => "choices";

    public override Usage ReadUsage(JsonNode? usage) => ChatAnswer.ReadUsage(usage) ?? new Usage(0, 0);

    public override IAnswerReader Stream() => new Reader();

    public override ModelError Error(int status, JsonNode? body) => OpenAiErrors.Read(status, body);

    private sealed class Reader : IAnswerReader
    {
        public IEnumerable<AnswerEvent> Read(string data)
        {
            if (data is "[DONE]")
                return [new Ended()];
            if (JsonNode.Parse(data) is not JsonObject chunk)
                throw new JsonException("an event is not an object");
            return [.. Read(chunk)];
        }

        private static IEnumerable<AnswerEvent> Read(JsonObject chunk)
        {
            if (chunk["error"] is not null)
                yield return new Broke(OpenAiErrors.Read(500, chunk));
            foreach (var choice in (chunk["choices"] as JsonArray ?? []).OfType<JsonObject>())
            {
                if (ChatAnswer.Text(choice["text"]) is { Length: > 0 } text)
                    yield return new TextCame(0, text);
                if (ChatAnswer.Text(choice["finish_reason"]) is { } reason)
                    yield return new Finished(0, ChatAnswer.ReadFinish(reason));
            }
            if (chunk["usage"] is JsonObject usage)
                yield return new UsageCame(ChatAnswer.ReadUsage(usage)!);
        }
    }
}
