using System.Diagnostics;
using System.Net.Sockets;

namespace Galaxy.LocalHosting.Running;

/// <summary>Waits until a resource answers.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>True as soon as it is healthy; a resource with neither path nor endpoint is healthy once it runs.</summary>
    public static async Task<bool> WaitAsync(ProcessResource resource, TimeSpan patience, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        while (!cancellation.IsCancellationRequested && Stopwatch.GetElapsedTime(started) < patience)
        {
            if (await IsHealthyAsync(resource, cancellation))
                return true;
            await Task.Delay(Every, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    private static async Task<bool> IsHealthyAsync(ProcessResource resource, CancellationToken cancellation)
    {
        try
        {
            if (resource.HealthPath is { } path)
            {
                var endpoint = resource.Endpoints.Find(e => resource.HealthEndpoint is null ? e.Scheme == "http" : e.Name == resource.HealthEndpoint)
                    ?? throw new RunnerException($"'{resource.Name}' has a health check but no http endpoint for it.");
                using var response = await Http.GetAsync(new Uri(endpoint.Url + path), cancellation);
                return response.IsSuccessStatusCode;
            }
            if (resource is RedisResource)
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", resource.Endpoints[0].AllocatedPort, cancellation);
                await using var stream = client.GetStream();
                await stream.WriteAsync("PING\r\n"u8.ToArray(), cancellation);
                var answer = new byte[5];
                await stream.ReadExactlyAsync(answer, cancellation);
                return answer.AsSpan().SequenceEqual("+PONG"u8);
            }
            return true;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
