using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects;

internal enum Speaker
{
    System,
    User,
    Assistant,
}

/// <summary>A part of a message.</summary>
internal abstract record Part;

internal sealed record TextPart(string Text) : Part;

/// <summary>An image by address or by its bytes.</summary>
/// <param name="Base64">Null when it is named by <paramref name="Url"/>.</param>
/// <param name="Detail">OpenAI's <c>low</c>, <c>high</c> or <c>auto</c>.</param>
internal sealed record ImagePart(string? Url, string? MediaType, string? Base64, string? Detail = null) : Part
{
    /// <summary>From an address that may be a <c>data:</c> one (RFC 2397).</summary>
    public static ImagePart Of(string address, string? detail = null) =>
        DataUrl.TryRead(address, out var type, out var base64)
            ? new ImagePart(null, type, base64, detail)
            : new ImagePart(address, null, null, detail);

    public string Address => Base64 is null ? Url! : $"data:{MediaType};base64,{Base64}";
}

/// <summary>A document, for instance a PDF, by address or by its bytes.</summary>
internal sealed record FilePart(string? Url, string? MediaType, string? Base64, string? Name) : Part;

internal sealed record AudioPart(string Format, string Base64) : Part;

/// <param name="Arguments">JSON text, as the model wrote it.</param>
internal sealed record ToolCallPart(string Id, string Name, string Arguments) : Part
{
    /// <summary>What Gemini wants back with the call, as it gave it.</summary>
    public string? Signature { get; init; }
}

internal sealed record ToolResultPart(string Id, IReadOnlyList<Part> Content, bool IsError) : Part;

/// <param name="Signature">What Anthropic wants back with it, as it gave it; without it the text cannot be carried
/// back.</param>
internal sealed record ThinkingPart(string Text, string? Signature) : Part;

internal sealed record RefusalPart(string Text) : Part;

internal sealed record Message(Speaker Speaker, IReadOnlyList<Part> Parts);

/// <param name="Schema">JSON Schema of the parameters; null: none.</param>
internal sealed record ToolSpec(string Name, string? Description, JsonObject? Schema, bool? Strict);

internal enum ToolUse
{
    Auto,
    None,
    Required,
    Named,
}

internal sealed record ToolChoice(ToolUse Use, string? Name = null);

/// <param name="Schema">Null: any JSON object.</param>
internal sealed record OutputFormat(string? Name, JsonObject? Schema, bool? Strict, string? Description = null);

/// <summary>
/// A request to a model, independent of dialects: what the three dialects have in common, and what at least two of them
/// support. A reader lists unknown fields in <see cref="Unknown"/>; a writer adds unsupported fields to its
/// <see cref="Losses"/>.
/// </summary>
internal sealed record Conversation
{
    public required string Model { get; init; }
    public required IReadOnlyList<Message> Messages { get; init; }
    public IReadOnlyList<ToolSpec> Tools { get; init; } = [];
    public ToolChoice? ToolChoice { get; init; }
    public bool? ParallelTools { get; init; }
    public int? MaxTokens { get; init; }
    public double? Temperature { get; init; }
    public double? TopP { get; init; }
    public int? TopK { get; init; }
    public double? FrequencyPenalty { get; init; }
    public double? PresencePenalty { get; init; }
    public IReadOnlyList<string> Stop { get; init; } = [];
    public long? Seed { get; init; }
    public int? Count { get; init; }
    public bool? LogProbs { get; init; }
    public int? TopLogProbs { get; init; }
    public OutputFormat? Format { get; init; }

    /// <summary><c>minimal</c>, <c>low</c>, <c>medium</c>, <c>high</c>, or <c>none</c>.</summary>
    public string? Effort { get; init; }

    /// <summary>Tokens that thinking may take; 0: no thinking.</summary>
    public int? ThinkingBudget { get; init; }

    public string? User { get; init; }
    public bool Stream { get; init; }

    /// <summary>OpenAI's <c>stream_options.include_usage</c>.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>Fields that the reader does not know, by path; the answer would be another without them.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>
    /// Fields that change cost or book-keeping, not the answer: dropped where they cannot be carried, and named in a
    /// header.
    /// </summary>
    public IReadOnlyList<string> Hints { get; init; } = [];
}

/// <summary>
/// Unsupported fields, which could not be carried from one dialect to another, by the client's names.
/// </summary>
internal sealed class Losses
{
    private readonly List<string> _names = [];
    private readonly List<string> _hints = [];

    /// <summary>Would change the answer.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Would not.</summary>
    public IReadOnlyList<string> Hints => _hints;

    public void Add(string name)
    {
        if (!_names.Contains(name))
            _names.Add(name);
    }

    public void Hint(string name)
    {
        if (!_hints.Contains(name))
            _hints.Add(name);
    }

    public void AddIf(bool isSet, string name)
    {
        if (isSet)
            Add(name);
    }
}
