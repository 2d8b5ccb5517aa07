using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.OneApi.Backends;

/// <summary>
/// Models of devices that offer <c>llm.chat</c>, asked through a router: as a task that outlives a leader. The answer
/// comes whole, and goes to a client that wants a stream in one piece. Thread-safe.
/// </summary>
internal sealed class DeviceModels(ClusterWatcher cluster, Upstream http, ServiceTokens tokens)
{
    private const int Patience = 300;

    /// <exception cref="UpstreamException">The device failed, or there is no router.</exception>
    public async Task<Answer> AskAsync(string device, JsonObject body, CancellationToken cancellation)
    {
        if (cluster.Current.Services.FirstOrDefault(service => service.Kind == "router") is not { } router)
            throw Failed(ErrorKind.Unavailable, "There is no router that could reach devices.");
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            $"{router.Url.TrimEnd('/')}/invoke/llm.chat?only={Uri.EscapeDataString(device)}&timeout={Patience}&idempotent=true"
        );
        request.Content = new StringContent(body.ToJsonString(Sse.Json), System.Text.Encoding.UTF8, "application/json");
        tokens.Sign(request, AccessRole.Client);
        try
        {
            using var response = await http.SendInternalAsync(request, cancellation);
            var json = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation));
            if (!response.IsSuccessStatusCode)
                throw Failed(
                    (int)response.StatusCode == 504 ? ErrorKind.Timeout : ErrorKind.Upstream,
                    $"The device '{device}': "
                        + $"{ChatAnswer.Text(json.Get("detail")) ?? $"status {(int)response.StatusCode}"}"
                );
            return Read(json as JsonObject ?? [], device);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException)
        {
            throw Failed(ErrorKind.Upstream, $"The device '{device}' could not be asked: {failure.Message}");
        }
    }

    /// <param name="model">Empty: the device's own.</param>
    public static JsonObject Write(Conversation asked, string model, Losses losses)
    {
        var body = ChatWriter.Write(asked with { Stream = false }, model, "max_tokens", losses);
        if (model.Length == 0)
            body.Remove("model");
        return body;
    }

    private static Answer Read(JsonObject result, string device)
    {
        var message = result["message"]?.DeepClone()
            ?? new JsonObject { ["role"] = "assistant", ["content"] = result["content"]?.DeepClone() };
        return ChatAnswer.Read(
            new JsonObject
            {
                ["id"] = "chatcmpl-" + Guid.NewGuid().ToString("N"),
                ["model"] = $"{ProviderCatalog.Device}/{device}/{result["model"]}",
                ["choices"] = new JsonArray(
                    new JsonObject
                    {
                        ["index"] = 0,
                        ["message"] = message,
                        ["finish_reason"] = result["finish_reason"]?.DeepClone(),
                    }
                ),
                ["usage"] = result["usage"]?.DeepClone(),
            }
        );
    }

    private static UpstreamException Failed(ErrorKind kind, string message) => new(new ModelError(kind, message));
}
