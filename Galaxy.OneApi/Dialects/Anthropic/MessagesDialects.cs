using System.Buffers;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>A client of <c>/v1/messages</c>.</summary>
internal sealed class MessagesClient : ClientDialect
{
    public override Wire Wire => Wire.Messages;

    public override Conversation Read(JsonObject request) => MessagesRequest.Read(request);

    public override JsonObject Write(Answer answer, Conversation asked) => MessagesAnswer.Write(answer);

    public override IAnswerWriter Stream(Conversation asked) => new MessagesStreamWriter(asked);

    public override JsonObject Error(ModelError error) => AnthropicErrors.Write(error);

    public override void WriteStreamError(ModelError error, IBufferWriter<byte> output) =>
        Sse.Write(output, AnthropicErrors.Write(error), "error");
}

/// <summary>A provider with <c>/messages</c>.</summary>
internal sealed class MessagesProvider : ProviderDialect
{
    public override Wire Wire => Wire.Messages;

    public override string Path(string model, bool stream) => "/messages";

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        MessagesWriter.Write(conversation, model, losses);

    public override Answer Read(JsonObject answer) => MessagesAnswer.Read(answer);

    public override string? Proof => "content";

    public override Usage ReadUsage(JsonNode? usage) => MessagesAnswer.ReadUsage(usage, null);

    public override IAnswerReader Stream() => new MessagesStreamReader();

    public override ModelError Error(int status, JsonNode? body) => AnthropicErrors.Read(status, body);
}
