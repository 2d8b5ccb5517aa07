using System.Buffers;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Plain;

/// <summary>A client of one of OpenAI's other endpoints: what it sends passes through.</summary>
internal sealed class PlainClient(Wire wire) : ClientDialect
{
    public override Wire Wire => wire;

    public override Conversation Read(JsonObject request) => throw new NotSupportedException("It only passes through.");

    public override JsonObject Write(Answer answer, Conversation asked) =>
        throw new NotSupportedException("It only passes through.");

    public override IAnswerWriter Stream(Conversation asked) =>
        throw new NotSupportedException("It only passes through.");

    public override JsonObject Error(ModelError error) => OpenAiErrors.Write(error);

    public override void WriteStreamError(ModelError error, IBufferWriter<byte> output) =>
        Sse.Write(output, OpenAiErrors.Write(error));
}

/// <summary>One of the other endpoints of a provider of OpenAI's dialect.</summary>
/// <param name="results">The field that every answer has; null: it is not JSON, or has no fixed fields.</param>
internal sealed class PlainProvider(Wire wire, string path, string? results) : ProviderDialect
{
    private static readonly PlainProvider Embeddings = new(Wire.Embeddings, "/embeddings", "data");
    private static readonly PlainProvider Images = new(Wire.Images, "/images/generations", "data");
    private static readonly PlainProvider Speech = new(Wire.Speech, "/audio/speech", null);
    private static readonly PlainProvider Transcriptions = new(Wire.Transcriptions, "/audio/transcriptions", null);
    private static readonly PlainProvider Moderations = new(Wire.Moderations, "/moderations", "results");
    private static readonly PlainProvider Rerank = new(Wire.Rerank, "/rerank", "results");

    public static PlainProvider Of(Wire wire) =>
        wire switch
        {
            Wire.Embeddings => Embeddings,
            Wire.Images => Images,
            Wire.Speech => Speech,
            Wire.Transcriptions => Transcriptions,
            Wire.Moderations => Moderations,
            _ => Rerank,
        };

    public override Wire Wire => wire;

    public override string Path(string model, bool stream) => path;

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        throw new NotSupportedException("It only passes through.");

    public override string? Proof => results;

    public override Answer Read(JsonObject answer) => throw new NotSupportedException("It only passes through.");

    // Embeddings say only how many there were in all.
    public override Usage ReadUsage(JsonNode? usage)
    {
        var input = ChatAnswer.Int(usage.Get("prompt_tokens") ?? usage.Get("input_tokens"));
        return new Usage(
            input > 0 ? input : ChatAnswer.Int(usage.Get("total_tokens")),
            ChatAnswer.Int(usage.Get("completion_tokens") ?? usage.Get("output_tokens"))
        );
    }

    public override IAnswerReader Stream() => new ChatStreamReader();

    public override ModelError Error(int status, JsonNode? body) => OpenAiErrors.Read(status, body);
}
