using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Cluster;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Devices;

/// <summary>Answers what a device asks in words: through any OneApi of the cluster.</summary>
internal sealed partial class ChatRelay(ClusterFeed cluster, NodeOptions node, ILogger<ChatRelay> log)
{
    private const int MostAtOnce = 32;
    private const string Standard = "galaxy/echo";
    private static readonly HttpClient Http = InternalHttp.CreateClient(TimeSpan.FromSeconds(120));
    private int _open;

    /// <summary>Returns at once; the answer comes as <c>chat_reply</c>.</summary>
    /// <param name="model">Empty: the first that is configured.</param>
    public void Ask(DeviceSession session, string message, string context, string requestId, string model) =>
        _ = AnswerAsync(session, message, context, requestId, model);

    private async Task AnswerAsync(
        DeviceSession session,
        string message,
        string context,
        string requestId,
        string model
    )
    {
        var reply = new JsonObject { ["type"] = "chat_reply", ["request_id"] = requestId };
        try
        {
            if (Interlocked.Increment(ref _open) > MostAtOnce)
                reply["error"] = "too many questions at once; ask again shortly";
            else if (message.Length == 0)
                reply["error"] = "'message' is required";
            else
                (reply["message"], reply["model"]) = await CompleteAsync(message, context, model, session.Closing);
        }
        catch (Exception failure)
            when (failure
                    is HttpRequestException
                        or JsonException
                        or InvalidOperationException
                        or OperationCanceledException
            )
        {
            LogFailed(session.DeviceId, failure.Message);
            reply["error"] = "no model answered: " + failure.Message;
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
        session.Send(reply);
    }

    private async Task<(string Message, string Model)> CompleteAsync(
        string message,
        string context,
        string model,
        CancellationToken cancellation
    )
    {
        var address = cluster.Services().FirstOrDefault(service => service.Kind == "oneapi")?.Url
            ?? throw new InvalidOperationException("there is no OneApi in this cluster");
        if (model.Length == 0)
            model = await FirstModelAsync(address, cancellation);
        var messages = new JsonArray();
        if (context.Length > 0)
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = context });
        messages.Add(new JsonObject { ["role"] = "user", ["content"] = message });
        using var request = Request(HttpMethod.Post, address + "/v1/chat/completions");
        request.Content = JsonContent.Create(new JsonObject { ["model"] = model, ["messages"] = messages });
        using var answer = await Http.SendAsync(request, cancellation);
        var body = await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation)
            ?? throw new InvalidOperationException("an empty answer");
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException(
                body["error"]?["message"]?.ToString() ?? $"status {(int)answer.StatusCode}"
            );
        return (body["choices"]?[0]?["message"]?["content"]?.ToString() ?? "", model);
    }

    private async Task<string> FirstModelAsync(string address, CancellationToken cancellation)
    {
        using var request = Request(HttpMethod.Get, address + "/v1/models");
        using var answer = await Http.SendAsync(request, cancellation);
        var models = answer.IsSuccessStatusCode
            ? await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation)
            : null;
        return (models?["data"] as JsonArray)
            ?.Select(model => model?["id"]?.ToString())
            .FirstOrDefault(id => id is not null && id != Standard)
            ?? Standard;
    }

    private HttpRequestMessage Request(HttpMethod method, string url)
    {
        var request = new HttpRequestMessage(method, url);
        if (node.ApiKey is { } key)
            request.Headers.Authorization = new("Bearer", key);
        return request;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A question of '{Device}' was not answered: {Reason}")]
    private partial void LogFailed(string device, string reason);
}
