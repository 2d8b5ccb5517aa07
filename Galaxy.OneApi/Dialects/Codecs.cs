using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects;

/// <summary>The wire formats. Equal ones are passed through without being read further than routing needs.</summary>
internal enum Wire
{
    Chat,
    Responses,
    Messages,
    Gemini,
    Completions,
    Embeddings,
    Images,
    Speech,
    Transcriptions,
    Moderations,
    Rerank,
}

/// <summary>The dialect of a client. Stateless; thread-safe.</summary>
internal abstract class ClientDialect
{
    public abstract Wire Wire { get; }

    /// <exception cref="BadFieldException">The request is not what the dialect allows.</exception>
    public abstract Conversation Read(JsonObject request);

    public abstract JsonObject Write(Answer answer, Conversation asked);

    /// <summary>A writer for one answer in pieces.</summary>
    public abstract IAnswerWriter Stream(Conversation asked);

    public abstract JsonObject Error(ModelError error);

    /// <summary>What tells a client in the middle of a stream that it has failed.</summary>
    public abstract void WriteStreamError(ModelError error, IBufferWriter<byte> output);
}

/// <summary>Writes one answer as server-sent events. Not thread-safe.</summary>
internal interface IAnswerWriter
{
    void Write(AnswerEvent step, IBufferWriter<byte> output);
}

/// <summary>The dialect of a provider. Stateless; thread-safe.</summary>
internal abstract class ProviderDialect
{
    public abstract Wire Wire { get; }

    /// <summary>Behind the base address.</summary>
    public abstract string Path(string model, bool stream);

    public abstract JsonObject Write(Conversation conversation, string model, Losses losses);

    /// <exception cref="JsonException">It is no answer of this dialect.</exception>
    public abstract Answer Read(JsonObject answer);

    /// <summary>The field that every answer has; null: it may be anything.</summary>
    public abstract string? Proof { get; }

    /// <summary>The accounts of an answer, from its field for them.</summary>
    public abstract Usage ReadUsage(JsonNode? usage);

    public abstract IAnswerReader Stream();

    /// <summary>What a refusal means. <paramref name="body"/> is null when it is not JSON.</summary>
    public abstract ModelError Error(int status, JsonNode? body);
}

/// <summary>Reads one answer that comes as server-sent events. Not thread-safe.</summary>
internal interface IAnswerReader
{
    /// <exception cref="JsonException">The data is not what the dialect allows.</exception>
    IEnumerable<AnswerEvent> Read(string data);
}

internal static class Sse
{
    public static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(IBufferWriter<byte> output, JsonObject data, string? name = null)
    {
        if (name is not null)
        {
            output.Write("event: "u8);
            output.Write(System.Text.Encoding.UTF8.GetBytes(name));
            output.Write("\n"u8);
        }
        output.Write("data: "u8);
        using (
            var json = new Utf8JsonWriter(
                output,
                new JsonWriterOptions { Encoder = Json.Encoder, SkipValidation = true }
            )
        )
            data.WriteTo(json);
        output.Write("\n\n"u8);
    }
}
