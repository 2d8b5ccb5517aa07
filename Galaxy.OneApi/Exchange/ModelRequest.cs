using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Requests;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.OneApi.Exchange;

/// <summary>One request of a client, independent of the target that will answer it. Not thread-safe.</summary>
/// <param name="Headers">Of the client.</param>
/// <param name="DropParams">Unsupported fields are dropped instead of refused.</param>
/// <param name="MeterUsage">A stream must tell what it used, even where the client did not ask.</param>
internal sealed record ModelRequest(
    ClientDialect Client,
    Envelope Envelope,
    ReadOnlyMemory<byte> Body,
    IHeaderDictionary Headers,
    bool DropParams,
    bool MeterUsage
)
{
    /// <summary>Of the body.</summary>
    public string MediaType { get; init; } = "application/json";

    private Conversation? _conversation;

    /// <summary>Parsed only when a target of another dialect is to answer.</summary>
    /// <exception cref="BadFieldException">It is not what the client's dialect allows.</exception>
    public Conversation Conversation => _conversation ??= Client.Read(Parse(Body));

    /// <exception cref="BadFieldException">It is no JSON object.</exception>
    public static JsonObject Parse(ReadOnlyMemory<byte> body)
    {
        // As at every edge; only as deep as the schemas of tools may be.
        if (JsonInput.Validate(body.Span, Envelope.MaxDepth) is { } error)
            throw new BadFieldException(error.Path, error.ToString());
        try
        {
            return JsonNode.Parse(
                    body.Span,
                    null,
                    new JsonDocumentOptions { MaxDepth = Envelope.MaxDepth, AllowDuplicateProperties = false }
                ) as JsonObject
                ?? throw new BadFieldException("", "The body must be a JSON object.");
        }
        catch (JsonException bad)
        {
            throw new BadFieldException("", $"The body is not JSON: {bad.Message}");
        }
    }
}
