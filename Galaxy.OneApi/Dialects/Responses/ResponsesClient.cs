using System.Buffers;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Responses;

/// <summary>A client of <c>/v1/responses</c>. One for each request: the answer repeats what was asked.</summary>
internal sealed class ResponsesClient(TimeProvider time, JsonObject request) : ClientDialect
{
    public override Wire Wire => Wire.Responses;

    public override Conversation Read(JsonObject json) => ResponsesRequest.Read(json);

    /// <summary>The writer that made the answer: it has the whole response.</summary>
    public ResponsesStreamWriter? Writer { get; private set; }

    public override JsonObject Write(Answer answer, Conversation asked)
    {
        var writer = (ResponsesStreamWriter)Stream(asked);
        var nowhere = new ArrayBufferWriter<byte>();
        foreach (var step in AnswerEvents.Of(answer))
            writer.Write(step, nowhere);
        return writer.Response;
    }

    public override IAnswerWriter Stream(Conversation asked) =>
        Writer = new ResponsesStreamWriter(asked, request, time.GetUtcNow().ToUnixTimeSeconds());

    public override JsonObject Error(ModelError error) => OpenAiErrors.Write(error);

    public override void WriteStreamError(ModelError error, IBufferWriter<byte> output)
    {
        var json = OpenAiErrors.Write(error)["error"]!;
        Sse.Write(
            output,
            new JsonObject
            {
                ["type"] = "error",
                ["code"] = json["code"]?.DeepClone(),
                ["message"] = error.Message,
                ["param"] = error.Field,
                ["sequence_number"] = 0,
            },
            "error"
        );
    }
}
