using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Requests;

/// <summary>As much of a request as routing and limits need; the rest of the body is not looked at.</summary>
internal sealed record Envelope
{
    /// <summary>Deeper JSON is refused.</summary>
    public const int MaxDepth = 64;

    public required string Model { get; init; }
    public bool Stream { get; init; }
    public bool IncludesUsage { get; init; }
    public bool DropParams { get; init; }
    public int? MaxTokens { get; init; }
    public int Count { get; init; } = 1;
    public string? User { get; init; }
    public string? PreviousResponse { get; init; }
    public bool? Store { get; init; }

    /// <summary>Where the value of <c>model</c> stands in the body.</summary>
    private (int Start, int Length) ModelAt { get; init; }

    private (int Start, int Length) StreamOptionsAt { get; init; }

    private int End { get; init; }

    /// <summary>The body is a form, not JSON.</summary>
    private bool IsForm { get; init; }

    /// <param name="contentField">What must be there besides the model, for instance <c>messages</c>.</param>
    /// <exception cref="BadFieldException">It is no JSON object, or a field that matters here is wrong.</exception>
    public static Envelope Read(ReadOnlySpan<byte> body, string contentField)
    {
        var envelope = new Envelope { Model = "" };
        var hasContent = false;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new BadFieldException("", "The body must be a JSON object.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals(contentField))
                    hasContent = true;
                envelope = Take(ref reader, envelope);
            }
            envelope = envelope with { End = (int)reader.TokenStartIndex };
            // To the end, so that a torn body is refused here and not upstream.
            while (reader.Read()) { }
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            throw new BadFieldException("", $"The body is not JSON: {bad.Message}");
        }
        if (envelope.Model.Length == 0)
            throw new BadFieldException("model", "'model' is required, for instance \"galaxy/echo\".");
        if (!hasContent && envelope.PreviousResponse is null)
            throw new BadFieldException(contentField, $"'{contentField}' is required.");
        return envelope;
    }

    /// <summary>Of a form (RFC 7578), which has the model as one of its parts.</summary>
    /// <exception cref="BadFieldException">It has none.</exception>
    public static Envelope ReadForm(ReadOnlySpan<byte> body)
    {
        var name = body.IndexOf("name=\"model\""u8);
        if (name < 0)
            name = body.IndexOf("name=model"u8);
        var head = name < 0 ? -1 : body[name..].IndexOf("\r\n\r\n"u8);
        var start = name + head + 4;
        var length = head < 0 ? -1 : body[start..].IndexOf("\r\n"u8);
        if (length <= 0)
            throw new BadFieldException("model", "'model' is required.");
        if (body.IndexOf("name=\"file\""u8) < 0 && body.IndexOf("name=file"u8) < 0)
            throw new BadFieldException("file", "'file' is required.");
        return new Envelope
        {
            Model = Encoding.UTF8.GetString(body.Slice(start, length)),
            ModelAt = (start, length),
            IsForm = true,
        };
    }

    private static Envelope Take(ref Utf8JsonReader reader, Envelope envelope)
    {
        if (reader.ValueTextEquals("model"u8))
        {
            Next(ref reader);
            if (reader.TokenType != JsonTokenType.String)
                throw new BadFieldException("model", "'model' must be a string.");
            if (envelope.Model.Length > 0)
                throw new BadFieldException("model", "'model' is given twice.");
            var start = (int)reader.TokenStartIndex;
            return envelope with { Model = reader.GetString()!, ModelAt = (start, (int)reader.BytesConsumed - start) };
        }
        if (reader.ValueTextEquals("stream"u8))
            return envelope with { Stream = Flag(ref reader, "stream") };
        if (reader.ValueTextEquals("drop_params"u8))
            return envelope with { DropParams = Flag(ref reader, "drop_params") };
        if (
            reader.ValueTextEquals("max_tokens"u8)
            || reader.ValueTextEquals("max_completion_tokens"u8)
            || reader.ValueTextEquals("max_output_tokens"u8)
        )
        {
            // The most that any of them allows is what may be written; less than nothing is nothing, so that no limit
            // can be talked down.
            return Number(ref reader) is { } most
                ? envelope with
                {
                    MaxTokens = Math.Max(envelope.MaxTokens ?? 0, most),
                }
                : envelope;
        }
        if (reader.ValueTextEquals("n"u8))
            return Number(ref reader) is { } count ? envelope with { Count = Math.Clamp(count, 1, 128) } : envelope;
        if (reader.ValueTextEquals("user"u8))
            return envelope with { User = Text(ref reader) };
        if (reader.ValueTextEquals("previous_response_id"u8))
            return envelope with { PreviousResponse = Text(ref reader) };
        if (reader.ValueTextEquals("store"u8))
        {
            Next(ref reader);
            return envelope with { Store = reader.TokenType == JsonTokenType.False ? false : null };
        }
        if (reader.ValueTextEquals("stream_options"u8))
            return TakeOptions(ref reader, envelope);
        Next(ref reader);
        reader.Skip();
        return envelope;
    }

    private static Envelope TakeOptions(ref Utf8JsonReader reader, Envelope envelope)
    {
        Next(ref reader);
        var start = (int)reader.TokenStartIndex;
        var asks = false;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isUsage = reader.ValueTextEquals("include_usage"u8);
                Next(ref reader);
                asks |= isUsage && reader.TokenType == JsonTokenType.True;
                reader.Skip();
            }
        }
        else
        {
            reader.Skip();
        }
        return envelope with { IncludesUsage = asks, StreamOptionsAt = (start, (int)reader.BytesConsumed - start) };
    }

    private static void Next(ref Utf8JsonReader reader) => reader.Read();

    private static bool Flag(ref Utf8JsonReader reader, string name)
    {
        Next(ref reader);
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw new BadFieldException(name, $"'{name}' must be true or false."),
        };
    }

    private static int? Number(ref Utf8JsonReader reader)
    {
        Next(ref reader);
        int? number = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var value) ? value : null;
        reader.Skip();
        return number;
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        Next(ref reader);
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        reader.Skip();
        return text;
    }

    /// <summary>The body with another model name and every other byte as it was.</summary>
    /// <param name="askForUsage">An OpenAI stream that would not tell its usage is asked to.</param>
    public ReadOnlyMemory<byte> WithModel(ReadOnlyMemory<byte> body, string model, bool askForUsage = false)
    {
        if (model == Model && !askForUsage)
            return body;
        var name = IsForm ? Encoding.UTF8.GetBytes(model) : JsonSerializer.SerializeToUtf8Bytes(model);
        List<(int Start, int Length, byte[] With)> changes = [(ModelAt.Start, ModelAt.Length, name)];
        if (askForUsage)
            changes.Add(
                StreamOptionsAt.Length > 0
                    ? (StreamOptionsAt.Start, StreamOptionsAt.Length, Options(body))
                    : (End, 0, Encoding.UTF8.GetBytes(",\"stream_options\":{\"include_usage\":true}"))
            );
        changes.Sort((one, other) => one.Start.CompareTo(other.Start));
        using var whole = new MemoryStream(body.Length + 64);
        var at = 0;
        foreach (var (start, length, with) in changes)
        {
            whole.Write(body.Span[at..start]);
            whole.Write(with);
            at = start + length;
        }
        whole.Write(body.Span[at..]);
        return whole.ToArray();
    }

    private byte[] Options(ReadOnlyMemory<byte> body)
    {
        var options =
            JsonNode.Parse(body.Span.Slice(StreamOptionsAt.Start, StreamOptionsAt.Length)) as JsonObject ?? [];
        options["include_usage"] = true;
        return JsonSerializer.SerializeToUtf8Bytes(options);
    }
}
