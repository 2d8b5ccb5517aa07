using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.Gemini;

/// <summary>Google's Gemini API (v1beta).</summary>
internal sealed class GeminiProvider : ProviderDialect
{
    public override Wire Wire => Wire.Gemini;

    public override string Path(string model, bool stream) =>
        $"/models/{Uri.EscapeDataString(model)}:{(stream ? "streamGenerateContent?alt=sse" : "generateContent")}";

    public override JsonObject Write(Conversation conversation, string model, Losses losses) =>
        GeminiWriter.Write(conversation, model, losses);

    public override Answer Read(JsonObject answer) => GeminiAnswer.Read(answer);

    public override string? Proof => "candidates";

    public override Usage ReadUsage(JsonNode? usage) => GeminiAnswer.ReadUsage(usage);

    public override IAnswerReader Stream() => new GeminiStreamReader();

    public override ModelError Error(int status, JsonNode? body) => GeminiErrors.Read(status, body);
}
