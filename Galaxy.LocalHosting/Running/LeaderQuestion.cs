using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Galaxy.LocalHosting.Running;

/// <summary>Asks the cluster that was just started who leads it, as any client would: through the endpoint named <c>api</c>.</summary>
internal static class LeaderQuestion
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    /// <summary>One line for the table; null when the application has no such endpoint or no key.</summary>
    public static async Task<string?> AskAsync(IReadOnlyList<ResourceProcess> processes, IReadOnlyList<IResource> resources, CancellationToken cancellation)
    {
        var api = processes.SelectMany(process => process.Resource.Endpoints).FirstOrDefault(endpoint => endpoint.Name == "api");
        var key = resources.OfType<ParameterResource>().FirstOrDefault(parameter => parameter.Name == "api-key");
        if (api is null || key is null)
            return null;
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Value);
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Patience)
        {
            try
            {
                await using var answer = await http.GetStreamAsync(new Uri(api.Url + "/api/v1/cluster"), cancellation);
                using var cluster = await JsonDocument.ParseAsync(answer, cancellationToken: cancellation);
                if (cluster.RootElement.TryGetProperty("leader", out var leader) && leader.ValueKind == JsonValueKind.Object)
                    return $"{leader.GetProperty("node_id").GetString()}, token {leader.GetProperty("token").GetInt64()}";
            }
            catch (Exception notYet) when (notYet is HttpRequestException or JsonException or IOException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                // The gateway answers 503 until somebody leads.
            }
            await Task.Delay(Every, cancellation);
        }
        return $"none after {Patience.TotalSeconds:0} s: `galaxy status` tells more";
    }
}
