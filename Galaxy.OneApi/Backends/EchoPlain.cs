using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Backends;

/// <summary>
/// What <c>galaxy/echo</c> says at OpenAI's other endpoints: vectors made of words, a picture of one colour, a tone for
/// each word. Good for trying a client, and for nothing else.
/// </summary>
internal static class EchoPlain
{
    private const int Dimensions = 256;
    private const int SampleRate = 8000;

    // A single grey pixel.
    private const string Png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

    /// <exception cref="BadFieldException">The request is not what the endpoint allows.</exception>
    public static Ready Answer(ModelRequest request)
    {
        if (request.Client.Wire == Wire.Transcriptions)
            return Json(
                new JsonObject
                {
                    ["text"] = $"This is galaxy/echo, a built-in test model. You sent {request.Body.Length} bytes.",
                },
                0,
                12
            );
        var fields = new Fields(ModelRequest.Parse(request.Body), "");
        switch (request.Client.Wire)
        {
            case Wire.Embeddings:
                return Embed(fields);
            case Wire.Images:
                fields.RequiredText("prompt");
                return Json(
                    new JsonObject
                    {
                        ["created"] = 0,
                        ["data"] = new JsonArray([
                            .. Enumerable
                                .Range(0, fields.Int("n", 1, 10) ?? 1)
                                .Select(_ => new JsonObject { ["b64_json"] = Png }),
                        ]),
                    },
                    0,
                    0
                );
            case Wire.Speech:
                return new Ready(
                    Wave(EchoModel.Words(fields.RequiredText("input")).Count),
                    "audio/wav",
                    new Usage(0, 0)
                );
            case Wire.Moderations:
                var inputs = fields.Any("input") is JsonArray list ? list.Count : 1;
                return Json(
                    new JsonObject
                    {
                        ["id"] = "modr-echo",
                        ["model"] = EchoName.Full,
                        ["results"] = new JsonArray([
                            .. Enumerable
                                .Range(0, inputs)
                                .Select(_ => new JsonObject
                                {
                                    ["flagged"] = false,
                                    ["categories"] = new JsonObject(),
                                    ["category_scores"] = new JsonObject(),
                                }),
                        ]),
                    },
                    0,
                    0
                );
            default:
                return Rank(fields);
        }
    }

    private static Ready Json(JsonObject json, int input, int output) =>
        new(Encoding.UTF8.GetBytes(json.ToJsonString(Sse.Json)), "application/json", new Usage(input, output));

    private static Ready Embed(Fields fields)
    {
        IReadOnlyList<string> inputs =
            fields.Any("input") is JsonArray { Count: > 0 } list
            && list[0] is JsonValue first
            && first.GetValueKind() != System.Text.Json.JsonValueKind.String
                ? throw fields.Wrong("input", "a string or a list of strings: galaxy/echo reads no token numbers")
                : fields.Texts("input");
        if (inputs.Count == 0)
            throw fields.Missing("input");
        var size = fields.Int("dimensions", 1, 4096) ?? Dimensions;
        var isBase64 = fields.Text("encoding_format") == "base64";
        var words = inputs.Sum(input => EchoModel.Words(input).Count);
        var json = new JsonObject
        {
            ["object"] = "list",
            ["model"] = EchoName.Full,
            ["data"] = new JsonArray([
                .. inputs.Select(
                    (input, i) =>
                        new JsonObject
                        {
                            ["object"] = "embedding",
                            ["index"] = i,
                            ["embedding"] = Write(Vector(input, size), isBase64),
                        }
                ),
            ]),
            ["usage"] = new JsonObject { ["prompt_tokens"] = words, ["total_tokens"] = words },
        };
        return Json(json, words, 0);
    }

    private static JsonNode Write(float[] vector, bool isBase64)
    {
        if (!isBase64)
            return new JsonArray([.. vector.Select(number => JsonValue.Create(number))]);
        var bytes = new byte[vector.Length * 4];
        for (var i = 0; i < vector.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), vector[i]);
        return JsonValue.Create(Convert.ToBase64String(bytes));
    }

    /// <summary>Texts with the same words have the same direction (feature hashing).</summary>
    private static float[] Vector(string text, int size)
    {
        var vector = new float[size];
        foreach (var word in EchoModel.Words(text.ToLowerInvariant()).Select(word => word.Trim()))
        {
            var hash = Core.Routing.RendezvousHash.Of(word);
            vector[hash % (uint)size] += (hash >> 63) == 0 ? 1 : -1;
        }
        var length = MathF.Sqrt(vector.Sum(number => number * number));
        return length == 0 ? vector : [.. vector.Select(number => number / length)];
    }

    private static Ready Rank(Fields fields)
    {
        var query = Vector(fields.RequiredText("query"), Dimensions);
        var documents = fields.List("documents") ?? throw fields.Missing("documents");
        var ranked = documents
            .Select(
                (document, i) =>
                    (
                        Index: i,
                        Score: Vector(
                                document is JsonValue ? document.ToString() : document.Get("text")?.ToString() ?? "",
                                Dimensions
                            )
                            .Zip(query, (a, b) => a * b)
                            .Sum()
                    )
            )
            .OrderByDescending(one => one.Score)
            .Take(fields.Int("top_n", 1) ?? documents.Count);
        return Json(
            new JsonObject
            {
                ["id"] = "rerank-echo",
                ["model"] = EchoName.Full,
                ["results"] = new JsonArray([
                    .. ranked.Select(one => new JsonObject { ["index"] = one.Index, ["relevance_score"] = one.Score }),
                ]),
            },
            0,
            0
        );
    }

    /// <summary>A tenth of a second of 440 Hz for each word (RIFF, 8 bit, mono).</summary>
    private static byte[] Wave(int words)
    {
        var samples = Math.Clamp(words, 1, 600) * SampleRate / 10;
        var wave = new byte[44 + samples];
        "RIFF"u8.CopyTo(wave);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(4), 36 + samples);
        "WAVEfmt "u8.CopyTo(wave.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(24), SampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(28), SampleRate);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(32), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(34), 8);
        "data"u8.CopyTo(wave.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(40), samples);
        for (var i = 0; i < samples; i++)
            wave[44 + i] = (byte)(128 + 40 * Math.Sin(2 * Math.PI * 440 * i / SampleRate));
        return wave;
    }
}
