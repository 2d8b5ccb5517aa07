using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Backends;

/// <summary>
/// OpenAI's embeddings from Gemini's <c>embedContent</c>, or <c>batchEmbedContents</c> for several texts.
/// </summary>
internal static class GeminiEmbeddings
{
    /// <exception cref="UpstreamException">It refused or failed.</exception>
    /// <exception cref="BadFieldException">The request is not what the endpoint allows.</exception>
    public static async Task<IExchange> AskAsync(
        Upstream upstream,
        Provider provider,
        string? key,
        Target target,
        ModelRequest request,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var fields = new Fields(ModelRequest.Parse(request.Body), "");
        var inputs = fields.Texts("input");
        if (inputs.Count == 0)
            throw fields.Missing("input");
        var size = fields.Int("dimensions", 1);
        var isBase64 = fields.Text("encoding_format") == "base64";
        var model = "models/" + target.Model;
        var isOne = inputs.Count == 1;
        var body = isOne
            ? Ask(model, inputs[0], size)
            : new JsonObject { ["requests"] = new JsonArray([.. inputs.Select(input => Ask(model, input, size))]) };
        await using var call = await UpstreamCall.SendAsync(
            upstream,
            provider,
            provider.Dialect,
            key,
            $"/{model}:{(isOne ? "embedContent" : "batchEmbedContents")}",
            JsonSerializer.SerializeToUtf8Bytes(body, Sse.Json),
            null,
            time,
            cancellation
        );
        JsonArray vectors;
        try
        {
            var answered = JsonNode.Parse(await call.ReadAllAsync());
            vectors =
                answered.Get("embeddings") as JsonArray
                ?? (
                    answered.Get("embedding") is { } one
                        ? [one.DeepClone()]
                        : throw new JsonException("it has no 'embeddings'")
                );
        }
        catch (JsonException bad)
        {
            throw new UpstreamException(
                new ModelError(
                    ErrorKind.Upstream,
                    $"The provider '{provider.Name}' sent no answer: {Redaction.Reason(bad)}"
                )
            );
        }
        // It does not count tokens here.
        var tokens = inputs.Sum(input => input.Length / 4 + 1);
        var embeddings = new JsonObject
        {
            ["object"] = "list",
            ["model"] = target.Model,
            ["data"] = new JsonArray([
                .. vectors.Select(
                    (vector, i) =>
                        new JsonObject
                        {
                            ["object"] = "embedding",
                            ["index"] = i,
                            ["embedding"] = Write(vector.Get("values"), isBase64),
                        }
                ),
            ]),
            ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
        };
        return new Ready(
            JsonSerializer.SerializeToUtf8Bytes(embeddings, Sse.Json),
            "application/json",
            new Usage(tokens, 0)
        );
    }

    private static JsonObject Ask(string model, string input, int? size)
    {
        var ask = new JsonObject
        {
            ["model"] = model,
            ["content"] = new JsonObject { ["parts"] = new JsonArray(new JsonObject { ["text"] = input }) },
        };
        if (size is not null)
            ask["outputDimensionality"] = size;
        return ask;
    }

    private static JsonNode? Write(JsonNode? values, bool isBase64)
    {
        if (!isBase64 || values is not JsonArray list)
            return values?.DeepClone();
        var bytes = new byte[list.Count * 4];
        for (var i = 0; i < list.Count; i++)
            BinaryPrimitives.WriteSingleLittleEndian(
                bytes.AsSpan(i * 4),
                list[i] is JsonValue value && value.TryGetValue<double>(out var number) ? (float)number : 0
            );
        return JsonValue.Create(Convert.ToBase64String(bytes));
    }
}
