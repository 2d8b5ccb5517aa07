using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>Asks a cluster that was just started for its leader, through its API like any client.</summary>
public static class LeaderQuestion
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The leader's name and token, or that there is none after 10 s.</summary>
    /// <param name="api">The address of the gateway's API.</param>
    public static async Task<string> AskAsync(string api, string key, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            Timeout = TimeSpan.FromSeconds(2),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Timeout)
        {
            try
            {
                await using var answer = await http.GetStreamAsync(new Uri(api + "/api/v1/cluster"), cancellationToken);
                using var cluster = await JsonDocument.ParseAsync(answer, cancellationToken: cancellationToken);
                if (
                    cluster.RootElement.TryGetProperty("leader", out var leader)
                    && leader.ValueKind == JsonValueKind.Object
                )
                    return $"{leader.GetProperty("node_id").GetString()}, token "
                        + $"{leader.GetProperty("token").GetInt64()}";
            }
            catch (Exception notYet)
                when (notYet is HttpRequestException or JsonException or IOException or TaskCanceledException
                    && !cancellationToken.IsCancellationRequested
                )
            {
                // The gateway answers 503 while no coordinator leads.
            }
            await Task.Delay(Interval, cancellationToken);
        }
        return $"none after {Timeout.TotalSeconds:0} s: `galaxy status` tells more";
    }
}
