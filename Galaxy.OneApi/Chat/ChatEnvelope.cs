using System.Text;
using System.Text.Json;

namespace Galaxy.OneApi.Chat;

/// <summary>As much of a chat request as routing needs; the rest of the body is never looked at.</summary>
internal sealed record ChatEnvelope(string Model, bool Stream, int ModelStart, int ModelLength)
{
    /// <summary>Reads the envelope. The message says what is wrong when it cannot.</summary>
    public static ChatEnvelope? Read(ReadOnlySpan<byte> body, out string problem, out string? field)
    {
        (problem, field) = ("", null);
        string? model = null;
        var stream = false;
        var hasMessages = false;
        int start = 0, length = 0;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                problem = "The body must be a JSON object.";
                return null;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "model" when reader.TokenType == JsonTokenType.String:
                        (model, start) = (reader.GetString(), (int)reader.TokenStartIndex);
                        length = (int)reader.BytesConsumed - start;
                        break;
                    case "stream":
                        stream = reader.TokenType == JsonTokenType.True;
                        break;
                    case "messages":
                        hasMessages = reader.TokenType == JsonTokenType.StartArray;
                        break;
                }
                reader.Skip();
            }
            // To the end, so that a torn body is refused here and not upstream.
            while (reader.Read())
            {
            }
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            problem = $"The body is not JSON: {bad.Message}";
            return null;
        }
        if (string.IsNullOrEmpty(model))
        {
            (problem, field) = ("'model' is required, for instance \"galaxy/echo\".", "model");
            return null;
        }
        if (!hasMessages)
        {
            (problem, field) = ("'messages' is required and must be an array.", "messages");
            return null;
        }
        return new ChatEnvelope(model, stream, start, length);
    }

    /// <summary>The body with another model name and every other byte as it was.</summary>
    public byte[] WithModel(ReadOnlySpan<byte> body, string model)
    {
        var name = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(model));
        return [.. body[..ModelStart], .. name, .. body[(ModelStart + ModelLength)..]];
    }
}
