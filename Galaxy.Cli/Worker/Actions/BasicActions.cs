using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>Actions that every worker offers: they can do no harm to its machine.</summary>
internal static class BasicActions
{
    private const int MaxBodyBytes = 256 * 1024;
    private static readonly HttpClient Http = CreateClient();

    public static IReadOnlyList<WorkerAction> All { get; } =
    [
        new("echo", "Answers with its parameters", """{"type":"object"}""", call =>
            Task.FromResult<JsonNode?>(call.Params.DeepClone())
        ),
        new(
            "sleep",
            "Waits, and tells how far it is",
            """{"type":"object","properties":{"seconds":{"type":"number","minimum":0,"maximum":3600,"default":1}}}""",
            SleepAsync
        ),
        new("system.info", "What this machine is", """{"type":"object","properties":{}}""", _ =>
            Task.FromResult<JsonNode?>(SystemInfo())
        ),
        new(
            "http.request",
            "An HTTP request from this machine",
            """{"type":"object","required":["url"],"properties":{"url":{"type":"string"},"method":"""
                + """{"type":"string","default":"GET"},"headers":{"type":"object","additionalProperties":"""
                + """{"type":"string"}},"body":{}}}""",
            HttpRequestAsync
        ),
    ];

    private static HttpClient CreateClient()
    {
        var client = OutboundHttp.CreateClient(TimeSpan.FromSeconds(60));
        client.MaxResponseContentBufferSize = MaxBodyBytes;
        return client;
    }

    private static async Task<JsonNode?> SleepAsync(ActionCall call)
    {
        var seconds = call.Number("seconds", 1);
        if (seconds is < 0 or > 3600)
            throw new ArgumentException("'seconds' must be 0 to 3600");
        const int Steps = 10;
        for (var step = 1; step <= Steps; step++)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds / Steps), call.Cancellation);
            call.Report((double)step / Steps);
        }
        return new JsonObject { ["slept_seconds"] = seconds };
    }

    private static JsonObject SystemInfo() =>
        new()
        {
            ["host"] = Environment.MachineName,
            ["os"] = RuntimeInformation.OSDescription,
            ["architecture"] = RuntimeInformation.OSArchitecture.ToString(),
            ["processors"] = Environment.ProcessorCount,
            ["runtime"] = RuntimeInformation.FrameworkDescription,
            ["memory_mib"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024 * 1024),
            ["uptime_seconds"] = Environment.TickCount64 / 1000,
        };

    private static async Task<JsonNode?> HttpRequestAsync(ActionCall call)
    {
        var url = call.Text("url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'url' is '{url}', which is not an http address");
        using var request = new HttpRequestMessage(new HttpMethod(call.OptionalText("method") ?? "GET"), address);
        if (call.Params["body"] is { } body)
        {
            request.Content = new StringContent(
                body is JsonValue value && value.TryGetValue<string>(out var text) ? text : body.ToJsonString()
            );
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(
                body is JsonValue ? "text/plain" : "application/json"
            );
        }
        foreach (var (name, value) in call.Params["headers"] as JsonObject ?? [])
        {
            if (!request.Headers.TryAddWithoutValidation(name, value?.ToString()))
                request.Content?.Headers.TryAddWithoutValidation(name, value?.ToString());
        }
        using var response = await Http.SendAsync(request, call.Cancellation);
        return new JsonObject
        {
            ["status"] = (int)response.StatusCode,
            ["content_type"] = response.Content.Headers.ContentType?.ToString(),
            ["body"] = await response.Content.ReadAsStringAsync(call.Cancellation),
        };
    }
}
