using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Plain;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Relay;

namespace Galaxy.OneApi.Http;

/// <summary>OpenAI's other endpoints: to providers of its dialect they pass through.</summary>
internal static class MediaApi
{
    public static void MapMediaApi(this IEndpointRouteBuilder endpoints)
    {
        Map(endpoints, "/v1/embeddings", Wire.Embeddings, new Operation("embeddings", "input"), "Vectors of texts");
        Map(
            endpoints,
            "/v1/images/generations",
            Wire.Images,
            new Operation("image_generation", "prompt"),
            "Pictures from a description"
        );
        Map(endpoints, "/v1/audio/speech", Wire.Speech, new Operation("speech", "input"), "Speech from a text");
        Map(
            endpoints,
            "/v1/audio/transcriptions",
            Wire.Transcriptions,
            new Operation("transcription", "file"),
            "Text from speech"
        );
        Map(
            endpoints,
            "/v1/moderations",
            Wire.Moderations,
            new Operation("moderation", "input"),
            "Whether a text is harmful"
        );
        Map(
            endpoints,
            "/v1/rerank",
            Wire.Rerank,
            new Operation("rerank", "query"),
            "Which documents fit a question best"
        );
    }

    private static void Map(
        IEndpointRouteBuilder endpoints,
        string path,
        Wire wire,
        Operation operation,
        string summary
    )
    {
        var client = new PlainClient(wire);
        endpoints
            .MapPost(path, (HttpContext context, ModelRelay relay) => relay.HandleAsync(context, client, operation))
            .Ours()
            .WithSummary(summary);
    }
}
