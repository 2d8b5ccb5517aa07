using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Galaxy.Cli.Worker;

/// <summary>What an action is given.</summary>
/// <param name="Report">Progress, 0 to 1.</param>
internal sealed record ActionCall(JsonObject Params, Action<double> Report, CancellationToken Cancellation);

/// <summary>The built-in actions of a worker. One that throws fails its task with the exception's message.</summary>
internal static class WorkerActions
{
    private const int MaxBodyBytes = 256 * 1024;
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(60), MaxResponseContentBufferSize = MaxBodyBytes };

    private static readonly Dictionary<string, Func<ActionCall, Task<JsonNode?>>> All = new(StringComparer.Ordinal)
    {
        ["echo"] = call => Task.FromResult<JsonNode?>(call.Params.DeepClone()),
        ["sleep"] = SleepAsync,
        ["system.info"] = _ => Task.FromResult<JsonNode?>(SystemInfo()),
        ["http.request"] = HttpRequestAsync,
    };

    /// <exception cref="CliException">There is no such action.</exception>
    public static IReadOnlyDictionary<string, Func<ActionCall, Task<JsonNode?>>> Select(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
            return All;
        if (names.FirstOrDefault(name => !All.ContainsKey(name)) is { } unknown)
            throw new CliException($"--capability '{unknown}' is not built in. Built in: {string.Join(", ", All.Keys)}.");
        return All.Where(pair => names.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal);
    }

    private static async Task<JsonNode?> SleepAsync(ActionCall call)
    {
        var seconds = Number(call.Params, "seconds", 1);
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

    private static JsonObject SystemInfo() => new()
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
        var url = call.Params["url"]?.ToString();
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'url' is '{url}', which is not an http address");
        using var request = new HttpRequestMessage(new HttpMethod(call.Params["method"]?.ToString() ?? "GET"), address);
        if (call.Params["body"] is { } body)
        {
            request.Content = new StringContent(body is JsonValue value && value.TryGetValue<string>(out var text) ? text : body.ToJsonString());
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(body is JsonValue ? "text/plain" : "application/json");
        }
        using var response = await Http.SendAsync(request, call.Cancellation);
        return new JsonObject
        {
            ["status"] = (int)response.StatusCode,
            ["content_type"] = response.Content.Headers.ContentType?.ToString(),
            ["body"] = await response.Content.ReadAsStringAsync(call.Cancellation),
        };
    }

    private static double Number(JsonObject map, string name, double fallback) =>
        map[name] is JsonValue value ? (value.TryGetValue<double>(out var number) ? number : throw new ArgumentException($"'{name}' must be a number")) : fallback;
}
