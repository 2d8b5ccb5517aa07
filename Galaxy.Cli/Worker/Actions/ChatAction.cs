using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>Asks a model over the OpenAI-compatible API of a Galaxy, or of an Ollama on this machine.</summary>
/// <param name="address">Up to and including the version, for instance <c>http://localhost:11434/v1</c>.</param>
internal sealed class ChatAction(Uri address, string? key)
{
    private static readonly HttpClient Http = OutboundHttp.CreateClient(TimeSpan.FromMinutes(5));

    public WorkerAction Action =>
        new(
            "llm.chat",
            $"Asks a model at {address.Host}",
            """{"type":"object","required":["messages"],"properties":{"model":"""
                + """{"type":"string"},"messages":{"type":"array","items":{"type":"object"}},"temperature":"""
                + """{"type":"number"},"max_tokens":{"type":"integer"},"tools":{"type":"array","items":"""
                + """{"type":"object"}}}}""",
            RunAsync
        );

    private async Task<JsonNode?> RunAsync(ActionCall call)
    {
        if (call.Params["messages"] is not JsonArray { Count: > 0 })
            throw new ArgumentException("'messages' must be a list with at least one message");
        var body = (JsonObject)call.Params.DeepClone();
        body["model"] ??= "galaxy/echo";
        body.Remove("stream");
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            address.ToString().TrimEnd('/') + "/chat/completions"
        )
        {
            Content = JsonContent.Create(body),
        };
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        using var answer = await Http.SendAsync(request, call.Cancellation);
        var result = await answer.Content.ReadFromJsonAsync<JsonObject>(call.Cancellation) ?? [];
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException(
                result["error"]?["message"]?.ToString()
                    ?? $"the model's server answered with status {(int)answer.StatusCode}"
            );
        return new JsonObject
        {
            ["content"] = result["choices"]?[0]?["message"]?["content"]?.DeepClone(),
            ["message"] = result["choices"]?[0]?["message"]?.DeepClone(),
            ["finish_reason"] = result["choices"]?[0]?["finish_reason"]?.DeepClone(),
            ["model"] = result["model"]?.DeepClone(),
            ["usage"] = result["usage"]?.DeepClone(),
        };
    }
}
