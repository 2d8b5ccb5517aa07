using System.Buffers;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>A client of <c>/v1/chat/completions</c>.</summary>
internal sealed class ChatClient(TimeProvider time) : ClientDialect
{
    public override Wire Wire => Wire.Chat;

    public override Conversation Read(JsonObject request) => ChatRequest.Read(request);

    public override JsonObject Write(Answer answer, Conversation asked) =>
        ChatAnswer.Write(answer, time.GetUtcNow().ToUnixTimeSeconds());

    public override IAnswerWriter Stream(Conversation asked) =>
        new ChatStreamWriter(asked, time.GetUtcNow().ToUnixTimeSeconds());

    public override JsonObject Error(ModelError error) => OpenAiErrors.Write(error);

    public override void WriteStreamError(ModelError error, IBufferWriter<byte> output) =>
        Sse.Write(output, OpenAiErrors.Write(error));
}

/// <summary>A provider with <c>/chat/completions</c>.</summary>
/// <param name="tokensField">What it calls the most tokens that it may write.</param>
internal sealed class ChatProvider(string tokensField = "max_tokens") : ProviderDialect
{
    public override Wire Wire => Wire.Chat;

    public override string Path(string model, bool stream) => "/chat/completions";

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        ChatWriter.Write(conversation, model, tokensField, losses);

    public override Answer Read(JsonObject answer) => ChatAnswer.Read(answer);

    public override string? Proof => "choices";

    public override Usage ReadUsage(JsonNode? usage) => ChatAnswer.ReadUsage(usage) ?? new Usage(0, 0);

    public override IAnswerReader Stream() => new ChatStreamReader();

    public override ModelError Error(int status, JsonNode? body) => OpenAiErrors.Read(status, body);
}
