using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>
/// A provider with <c>/responses</c>. Requests only pass through, so nothing is written; answers are read as far as
/// accounts need.
/// </summary>
internal sealed class ResponsesProvider : ProviderDialect
{
    public override Wire Wire => Wire.Responses;

    public override string Path(string model, bool stream) => "/responses";

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        throw new NotSupportedException("Responses only pass through.");

    public override Answer Read(JsonObject answer) => throw new NotSupportedException("Responses only pass through.");

    public override string? Proof => "output";

    public override IAnswerReader Stream() => new Reader();

    public override ModelError Error(int status, JsonNode? body) => OpenAiErrors.Read(status, body);

    public override Usage ReadUsage(JsonNode? usage) => UsageOf(usage);

    private static Usage UsageOf(JsonNode? usage) =>
        new(
            ChatAnswer.Int(usage.Get("input_tokens")),
            ChatAnswer.Int(usage.Get("output_tokens")),
            ChatAnswer.Int(usage.Get("input_tokens_details").Get("cached_tokens")),
            Reasoning: ChatAnswer.Int(usage.Get("output_tokens_details").Get("reasoning_tokens"))
        );

    private sealed class Reader : IAnswerReader
    {
        public IEnumerable<AnswerEvent> Read(string data)
        {
            if (JsonNode.Parse(data) is not JsonObject step)
                throw new JsonException("an event is not an object");
            var response = step["response"];
            return ChatAnswer.Text(step["type"]) switch
            {
                "response.created" =>
                [
                    new Began(ChatAnswer.Text(response.Get("id")) ?? "", ChatAnswer.Text(response.Get("model")) ?? ""),
                ],
                "response.completed" or "response.incomplete" =>
                [
                    new Finished(0, Finish.Stop),
                    new UsageCame(UsageOf(response.Get("usage"))),
                    new Ended(),
                ],
                "response.failed" => [new Broke(OpenAiErrors.Read(500, response))],
                "error" =>
                [
                    new Broke(
                        OpenAiErrors.Read(
                            500,
                            step["error"] is null ? new JsonObject { ["error"] = step.DeepClone() } : step
                        )
                    ),
                ],
                { } name when name.EndsWith(".delta", StringComparison.Ordinal) =>
                [
                    new TextCame(0, ChatAnswer.Text(step["delta"]) ?? "…"),
                ],
                _ => [],
            };
        }
    }
}
